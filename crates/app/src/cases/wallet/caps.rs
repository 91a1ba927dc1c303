//! What the spending wallet may pay: per payment, and per UTC day. Checked in Rust before anything is signed.
//!
//! Counted are dollars ordered, as the person sees them; network fees are not, for no transaction is signed with a highest fee above
//! 20 gwei anyway. A payment counts from its signature on, once, however often it is sped up; one that is known to have paid nothing
//! (reverted, dropped, cancelled) does not.

use crate::{
    Wallet,
    cases::amount::dollars,
    record::PaymentRecord,
    state::State,
    view::{AppErrorCode, AppView, ErrorView, PayWay, PaymentState},
};
use aispace_units::Usd;
use chrono::{DateTime, Utc};

impl Wallet {
    /// Sets how many dollars one payment and a UTC day's payments of the spending wallet may be.
    ///
    /// # Errors
    /// Not amounts of dollars.
    pub async fn set_caps(&self, payment_usd: String, day_usd: String) -> Result<AppView, ErrorView> {
        let (payment, day) = (dollars(&payment_usd)?, dollars(&day_usd)?);
        // Not between a review that kept to them and its signature.
        let _turn = self.inner.payment_turn.lock().await;
        self.keep_preferences(|p| (p.cap_payment_usd, p.cap_day_usd) = (payment, day)).await?;
        self.answer()
    }

    /// Refuses a payment of the spending wallet that is above a cap. Whoever calls this has the payments' turn.
    pub(crate) async fn check_caps(&self, usd: Usd) -> Result<(), ErrorView> {
        let (payment, day) = {
            let preferences = &self.state().preferences;
            (preferences.cap_payment_usd, preferences.cap_day_usd)
        };
        let refuse =
            |cap: Usd, spent: Usd| Err(ErrorView::of(AppErrorCode::CapExceeded).with("cap", cap).with("spent", spent).with("asked", usd));
        if usd > payment {
            return refuse(payment, Usd::ZERO);
        }
        // The journal is asked, not memory: what was signed is there before it was sent.
        let spent = spent(self.inner.store.payments().await?.iter(), self.corrected_now());
        let fits = spent.get().checked_add(usd.get()).is_some_and(|sum| sum <= day.get());
        if fits { Ok(()) } else { refuse(day, spent) }
    }
}

impl State {
    /// Dollars that the spending wallet signed away on the UTC day of an instant, as far as memory knows.
    pub(crate) fn spent_on_day_of(&self, now: DateTime<Utc>) -> Usd {
        let open = self.payment.iter();
        let others = self.payments.iter().filter(|p| self.payment.as_ref().is_none_or(|open| open.order_id != p.order_id));
        spent(open.chain(others), now)
    }
}

fn spent<'a>(payments: impl Iterator<Item = &'a PaymentRecord>, now: DateTime<Utc>) -> Usd {
    let mut counted = payments.filter(|p| counts(p, now));
    let sum = counted.try_fold(Usd::ZERO, |sum, p| Usd::new(sum.get().checked_add(p.usd.get())?).ok());
    // Beyond what can be added up is beyond any cap.
    sum.unwrap_or_else(|| Usd::new(rust_decimal::Decimal::MAX).unwrap_or(Usd::ZERO))
}

fn counts(payment: &PaymentRecord, now: DateTime<Utc>) -> bool {
    let nothing_paid = matches!(
        payment.state,
        PaymentState::Asked | PaymentState::Reverted | PaymentState::Dropped | PaymentState::Cancelled | PaymentState::Abandoned
    );
    let signed = payment.reached.get(&PaymentState::Signed);
    payment.way == PayWay::SpendingWallet && !nothing_paid && signed.is_some_and(|at| at.date_naive() == now.date_naive())
}
