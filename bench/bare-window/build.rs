//! What Tauri generates for an app.

fn main() {
    tauri_build::build();
}
