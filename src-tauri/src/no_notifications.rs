//! Where the app shows no notifications yet: each is said not to have been given, and waits.

use crate::saying::Saying;
use aispace_app::{NotGiven, view::PlaceView};
use std::sync::Arc;

pub(crate) type Pixels = (i32, i32, Vec<u8>);

pub(crate) struct Desktop;

impl Desktop {
    pub(crate) fn new(_app: String, _icon: Option<Pixels>, _led: Arc<dyn Fn(PlaceView, Option<String>) + Send + Sync>) -> Self {
        Self
    }

    pub(crate) fn show(&self, _saying: &Saying) -> Result<(), NotGiven> {
        Err(NotGiven { reason: "this system's notifications are not spoken to".into() })
    }
}

pub(crate) fn are_shown() -> bool {
    false
}
