//! Where the app stands in no tray yet: it ends with its window.

use crate::tray_facts::{TrayAction, TrayFacts};
use std::sync::Arc;

pub(crate) struct Tray;

impl Tray {
    pub(crate) async fn offer(_facts: TrayFacts, _icon: (i32, i32, Vec<u8>), _act: Arc<dyn Fn(TrayAction) + Send + Sync>) -> Option<Self> {
        None
    }

    pub(crate) fn is_shown(&self) -> bool {
        false
    }

    pub(crate) async fn say(&self, _facts: TrayFacts) {}
}
