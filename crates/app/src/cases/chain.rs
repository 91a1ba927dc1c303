//! The chain as the app looks at it: its nodes, what the wallet holds, what a payment costs.

use crate::{
    Wallet,
    project::host_and_port,
    state::FirstEther,
    view::{AppErrorCode, AppView, ErrorView, NodeView},
};
use aispace_units::Wei;
use chrono::{SecondsFormat, TimeDelta};
use std::time::Duration;

/// How long a review waits for a new sandbox wallet's first ether, and how often it looks.
const FIRST_ETHER_WAIT: Duration = Duration::from_secs(5);
const FIRST_ETHER_PAUSE: Duration = Duration::from_millis(200);
/// For how long an estimate of a payment's fee is good enough.
const FEE_HOLDS_SECONDS: i64 = 60;
/// Gas of a transfer with a tag, and bytes of it unsigned, about.
const TRANSFER_GAS: u64 = 22_280;
const TRANSFER_BYTES: usize = 120;

impl Wallet {
    /// Asks the sandbox's faucet for ether.
    ///
    /// # Errors
    /// Outside the sandbox, without a wallet, or when the faucet does not answer.
    pub async fn ask_for_test_ether(&self) -> Result<AppView, ErrorView> {
        let doors = self.inner.doors.as_ref().ok_or_else(|| ErrorView::of(AppErrorCode::SandboxOnly))?;
        let address = self.state().wallet.as_ref().map(|w| w.address);
        let address = address.ok_or_else(|| ErrorView::of(AppErrorCode::NoSpendingWallet))?;
        doors.ask_for_ether(&address.to_string()).await?;
        self.look_at_chain().await;
        self.answer()
    }

    /// Reads the wallet's balance and how each node is.
    pub(crate) async fn look_at_chain(&self) {
        let (nodes, ()) = futures::join!(self.each_node(), self.estimate_fee());
        let address = self.state().wallet.as_ref().map(|w| w.address);
        let balance = match address {
            Some(address) => self.nodes().balance(address).await.ok(),
            None => None,
        };
        let ask = self.change(|state| {
            state.nodes = nodes;
            if let Some(wallet) = &mut state.wallet {
                wallet.balance = balance;
            }
            let before = state.first_ether;
            state.first_ether = match (balance.map(|b| b.get() > 0), before) {
                (Some(true), _) => FirstEther::Arrived,
                (Some(false), FirstEther::NotAsked) => FirstEther::OnItsWay,
                (Some(false) | None, unchanged) => unchanged,
            };
            before == FirstEther::NotAsked && state.first_ether == FirstEther::OnItsWay
        });
        if ask && let (Some(doors), Some(address)) = (&self.inner.doors, address) {
            // A refusal leaves the balance at nothing; the screen offers to ask again.
            let _ = doors.ask_for_ether(&address.to_string()).await;
        }
    }

    /// In the sandbox, waits a little for the ether that a new wallet begins with.
    pub(crate) async fn await_first_ether(&self) {
        if self.inner.doors.is_none() {
            return;
        }
        let arrival = async {
            while self.state().first_ether != FirstEther::Arrived {
                self.look_at_chain().await;
                tokio::time::sleep(FIRST_ETHER_PAUSE).await;
            }
        };
        // Without it the need is compared with what there is, and said.
        let _ = tokio::time::timeout(FIRST_ETHER_WAIT, arrival).await;
    }

    /// Each node as it answers now, with what its calls of late have shown. One that rests is not asked.
    async fn each_node(&self) -> Vec<NodeView> {
        let (urls, nodes) = (self.node_urls(), self.nodes());
        nodes.look_at_each().await;
        let (health, now) = (nodes.health(), self.corrected_now());
        let view = |url: String| {
            let name = host_and_port(&url);
            let known = health.iter().find(|node| node.name == name);
            let resting = known.and_then(|node| node.resting).and_then(|rest| now.checked_add_signed(TimeDelta::from_std(rest).ok()?));
            NodeView {
                healthy: known
                    .is_some_and(|node| node.height.is_some() && node.trouble.as_ref().is_none_or(|trouble| trouble.failures == 0)),
                block_number: known.and_then(|node| node.height).map(|height| height.to_string()),
                behind: known.and_then(|node| node.behind).map(|blocks| blocks.to_string()),
                latency_ms: known.and_then(|node| node.latency).and_then(|took| u32::try_from(took.as_millis()).ok()),
                trouble: known.and_then(|node| node.trouble.as_ref()).map(|trouble| trouble.reason.clone()),
                resting_until: resting.map(|until| until.to_rfc3339_opts(SecondsFormat::Millis, true)),
                name,
                url,
            }
        };
        urls.into_iter().map(view).collect()
    }

    /// Reads anew, now and then, what the chain would take of a payment, for the amount that is being typed.
    async fn estimate_fee(&self) {
        let now = self.inner.clock.now();
        let fresh = self.state().fee_about.is_some_and(|(_, at)| now >= at && now < at + TimeDelta::seconds(FEE_HOLDS_SECONDS));
        if fresh {
            return;
        }
        let nodes = self.nodes();
        let read = futures::try_join!(nodes.fees(), nodes.l1_fee_upper_bound(TRANSFER_BYTES), nodes.operator_fee(TRANSFER_GAS));
        let Ok((fees, l1, operator)) = read else { return };
        // The highest fee is twice the base fee and the tip: half of both together is what is taken while the base fee stays.
        let per_gas = fees.max_fee_per_gas_wei.get().saturating_add(fees.tip_per_gas_wei.get()) / 2;
        let gas = per_gas.saturating_mul(u128::from(TRANSFER_GAS));
        let fee = Wei::new(gas.saturating_add(l1.get()).saturating_add(operator.get()));
        self.state().fee_about = Some((fee, now));
    }
}
