//! Ends a server and removes its folder when its owner is gone.

use crate::PostgresError;
use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Waits for the end of its input, which the owner holds open and the kernel closes when the owner is killed. SIGQUIT ends a
/// postmaster and its processes at once. Only a process that works in this very folder is meant: a number may be another's by
/// now. A postmaster that was killed leaves a scrap of shared memory, whose number is on the seventh line of its note.
const SCRIPT: &str = r#"
cat >/dev/null
note=$1/data/postmaster.pid
runs() { [ "$(readlink "/proc/$id/cwd")" = "$1/data" ]; }
if read -r id 2>/dev/null <"$note" && runs "$1"; then
    kill -QUIT "$id"
    tries=0
    while runs "$1"; do
        tries=$((tries + 1))
        [ "$tries" -lt 1000 ] || kill -KILL "$id"
        sleep 0.01
    done
fi
memory=$(sed -n '7s/.* //p' "$note" 2>/dev/null)
[ -z "$memory" ] || ipcrm -m "$memory"
rm -rf "$1"
"#;

#[derive(Debug)]
pub(crate) struct Guard {
    folder: PathBuf,
    shell: Child,
}

impl Guard {
    pub(crate) fn over(folder: PathBuf) -> Result<Self, PostgresError> {
        let mut command = Command::new("sh");
        // A group of its own, so that whoever ends the test's group does not end this.
        command.args(["-c", SCRIPT, "guard"]).arg(&folder).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let shell = command.spawn().map_err(PostgresError::io("starting a guard"))?;
        Ok(Self { folder, shell })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Lets the guard do its work, and waits for it.
    pub(crate) fn end(&mut self) {
        // Closes the guard's input.
        let _ = self.shell.wait();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.end();
    }
}
