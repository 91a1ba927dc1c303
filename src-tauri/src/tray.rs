//! The icon in the tray: balance, next end, quick actions. A StatusNotifierItem, spoken over D-Bus in Rust: no library has to be there, and
//! a desktop without a tray is no failure.

use crate::tray_facts::{TrayAction, TrayFacts};
use ksni::{
    MenuItem, OfflineReason, TrayMethods as _,
    menu::{CheckmarkItem, StandardItem},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

type Act = dyn Fn(TrayAction) + Send + Sync;

struct Icon {
    facts: TrayFacts,
    icon: ksni::Icon,
    is_shown: Arc<AtomicBool>,
    act: Arc<Act>,
}

impl Icon {
    fn said(text: &str) -> MenuItem<Self> {
        StandardItem { label: plain(text), enabled: false, ..StandardItem::default() }.into()
    }

    fn action(label: &str, action: TrayAction) -> MenuItem<Self> {
        let activate = Box::new(move |icon: &mut Self| (icon.act)(action));
        StandardItem { label: plain(label), activate, ..StandardItem::default() }.into()
    }
}

/// An underscore would mark the letter after it.
fn plain(text: &str) -> String {
    text.replace('_', "__")
}

impl ksni::Tray for Icon {
    fn id(&self) -> String {
        "aispace-wallet".into()
    }

    fn title(&self) -> String {
        "AiSpace Wallet".into()
    }

    fn icon_pixmap(&self) -> Vec<ksni::Icon> {
        vec![self.icon.clone()]
    }

    fn tool_tip(&self) -> ksni::ToolTip {
        ksni::ToolTip { title: self.facts.balance.clone(), description: self.facts.next.clone().unwrap_or_default(), ..Default::default() }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        (self.act)(TrayAction::Open);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        let [open, sync, estimate, buy, hide, quit] = &self.facts.labels;
        let mut menu = vec![Self::said(&self.facts.balance)];
        menu.extend([&self.facts.next, &self.facts.risk].into_iter().flatten().map(|text| Self::said(text)));
        menu.extend([
            MenuItem::Separator,
            Self::action(open, TrayAction::Open),
            Self::action(sync, TrayAction::Sync),
            Self::action(estimate, TrayAction::Estimate),
            Self::action(buy, TrayAction::Buy),
            MenuItem::Separator,
            CheckmarkItem {
                label: plain(hide),
                checked: self.facts.masked,
                activate: Box::new(|icon: &mut Self| (icon.act)(TrayAction::Hide)),
                ..CheckmarkItem::default()
            }
            .into(),
            Self::action(quit, TrayAction::Quit),
        ]);
        menu
    }

    fn watcher_online(&self) {
        self.is_shown.store(true, Ordering::SeqCst);
    }

    fn watcher_offline(&self, _reason: OfflineReason) -> bool {
        self.is_shown.store(false, Ordering::SeqCst);
        (self.act)(TrayAction::Lost);
        // It comes back with the tray.
        true
    }
}

/// The app's icon in the tray, wherever there is a tray.
pub(crate) struct Tray {
    handle: ksni::Handle<Icon>,
    is_shown: Arc<AtomicBool>,
}

impl Tray {
    /// Offers the icon to the desktop; nothing without a session bus. `rgba` is an icon of that width and height.
    pub(crate) async fn offer(facts: TrayFacts, (width, height, rgba): (i32, i32, Vec<u8>), act: Arc<Act>) -> Option<Self> {
        // The tray's pixels begin with what covers.
        let data = rgba.chunks_exact(4).flat_map(|pixel| [pixel[3], pixel[0], pixel[1], pixel[2]]).collect();
        let is_shown = Arc::new(AtomicBool::new(true));
        let icon = Icon { facts, icon: ksni::Icon { width, height, data }, is_shown: Arc::clone(&is_shown), act };
        match icon.assume_sni_available(true).spawn().await {
            Ok(handle) => Some(Self { handle, is_shown }),
            Err(error) => {
                tracing::info!("there is no tray: {error}");
                None
            }
        }
    }

    /// Whether the desktop shows it now.
    pub(crate) fn is_shown(&self) -> bool {
        self.is_shown.load(Ordering::SeqCst)
    }

    /// Says something else.
    pub(crate) async fn say(&self, facts: TrayFacts) {
        self.handle.update(|icon| icon.facts = facts).await;
    }
}
