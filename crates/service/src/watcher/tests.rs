//! Random histories of payments, reorganisations and restarts: what is credited is what the chain says, once.

use super::*;
use crate::chain::ChainReader;
use crate::store::{Aim, AmountSteps, Database, NewOrder, PaymentState, StoredPayment};
use aispace_ledger::AccountId;
use aispace_payments::claim::{ClaimError, ClaimProof, ClaimSignature, PaymentClaim};
use aispace_payments::tag::{ClaimSecret, calldata};
use aispace_payments::watch::{FinalityHeads, Head, SeenPayment};
use aispace_payments::{EthAddress, TransactionHash};
use aispace_test_postgres::{NOT_DURABLE, PostgresServer};
use aispace_units::{NanoCreditSum, Wei, credits_for_wei};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::sync::Mutex;

const ORDERS: u8 = 4;
const PRICE: &str = "2500";

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("time")
}

/// A chain that the test writes.
struct Chain(Mutex<Blocks>);

#[derive(Default)]
struct Blocks {
    blocks: Vec<WatchedBlock>,
    pool: Vec<SeenPayment>,
    forks: u64,
    sent: u64,
    safe: usize,
}

impl Blocks {
    fn mine(&mut self) {
        let number = u64::try_from(self.blocks.len()).expect("small");
        let parent_hash = self.blocks.last().map_or(BlockHash::from_bytes([0; 32]), |block| block.hash);
        let mut hash = [1; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash[8..16].copy_from_slice(&self.forks.to_be_bytes());
        let payments = std::mem::take(&mut self.pool);
        let (hash, reconciliation) = (BlockHash::from_bytes(hash), Reconciliation::Exact);
        self.blocks.push(WatchedBlock { number, hash, parent_hash, timestamp: start(), payments, reconciliation });
    }

    fn pay(&mut self, input: Vec<u8>, wei: u128) {
        self.sent += 1;
        let mut hash = [2; 32];
        hash[..8].copy_from_slice(&self.sent.to_be_bytes());
        let payer = EthAddress::from_bytes([5; 20]);
        let (hash, value, block_time) = (TransactionHash::from_bytes(hash), Wei::new(wei), start());
        let position = u32::from(self.sent.is_multiple_of(3));
        self.pool.push(SeenPayment { hash, position, payer, tx_from: payer, value, input, block_time });
    }

    /// Replaces the newest blocks that are not safe; of their payments those stay out whose number has its bit set.
    fn reorganise(&mut self, depth: usize, out: u8) -> Vec<SeenPayment> {
        let keep = self.blocks.len().saturating_sub(depth).max(self.safe + 1).min(self.blocks.len());
        let old: Vec<SeenPayment> = self.blocks.split_off(keep).into_iter().flat_map(|block| block.payments).collect();
        self.forks += 1;
        let numbered = old.into_iter().enumerate();
        let (out, stay): (Vec<_>, Vec<_>) = numbered.partition(|(number, _)| out & (1 << (number % 8)) != 0);
        self.pool.extend(stay.into_iter().map(|(_, payment)| payment));
        self.mine();
        self.mine();
        out.into_iter().map(|(_, payment)| payment).collect()
    }
}

#[async_trait]
impl ChainReader for Chain {
    async fn head(&self) -> Result<Head, ChainReadError> {
        Ok(self.finality().await?.head)
    }

    async fn block(&self, number: u64) -> Result<Option<WatchedBlock>, ChainReadError> {
        Ok(self.0.lock().expect("lock").blocks.get(usize::try_from(number).expect("small")).cloned())
    }

    async fn finality(&self) -> Result<FinalityHeads, ChainReadError> {
        let chain = self.0.lock().expect("lock");
        let at = |block: &WatchedBlock| Head { number: block.number, hash: block.hash };
        let (newest, safe) = (chain.blocks.last().expect("a block"), &chain.blocks[chain.safe]);
        Ok(FinalityHeads { head: at(newest), safe: at(safe), finalized: at(&chain.blocks[chain.safe.saturating_sub(4)]) })
    }

    async fn canonical(&self, number: u64, hash: BlockHash) -> Result<Standing, ChainReadError> {
        Ok(match self.block(number).await? {
            None => Standing::Unknown,
            Some(block) if block.hash == hash => Standing::Canonical,
            Some(_) => Standing::Replaced,
        })
    }

    async fn price_at(&self, _: u64) -> Result<EthUsdPrice, ChainReadError> {
        Err(ChainReadError { reason: "every payment is in time".into() })
    }

    async fn verify_claim(
        &self,
        _: &PaymentClaim,
        _: &ClaimSignature,
        payer: EthAddress,
        _: DateTime<Utc>,
    ) -> Result<ClaimProof, ClaimError> {
        Err(ClaimError::NotThePayer { payer })
    }
}

fn watcher(store: &Store, chain: &Arc<Chain>, large: i64) -> Watcher {
    let clock = Arc::new(ServiceClock::for_tests());
    clock.set(Some(start()));
    Watcher {
        store: store.clone(),
        clock,
        chain: chain.clone(),
        state: Arc::default(),
        metrics: Arc::new(Metrics::new(std::time::SystemTime::UNIX_EPOCH, store.metrics().clone())),
        large: NanoCredits::from_nanos(large).expect("an amount"),
        poll: Duration::from_millis(1),
    }
}

fn secret(order: u8) -> ClaimSecret {
    ClaimSecret::from_bytes([order + 1; 32])
}

async fn make_order(store: &Store, number: u8) -> NewOrder {
    let order = NewOrder {
        account: AccountId::new(format!("ac_{number}")),
        order_id: format!("or_{number}"),
        tag: secret(number).tag(),
        aim: Aim::NewAccount { salt: Some([number; 32]) },
        usd: "25".parse().expect("dollars"),
        usd_per_eth: PRICE.parse().expect("a price"),
        value: Wei::new(10_000_000_000_000_000),
        credits: "250000".parse().expect("credits"),
        quoted: start(),
        expires: start() + TimeDelta::minutes(10),
        sources: vec![],
        unique: None,
    };
    let made = store.write(order, |order, tx| {
        Box::pin(async move {
            let from = AmountSteps::at_least(order.value).expect("in range");
            let until = order.expires + TimeDelta::hours(24);
            let unique = Some(Store::reserve_amount(tx, from, &order.order_id, order.quoted, until).await?);
            let order = NewOrder { unique, ..order.clone() };
            Store::insert_order(tx, &order).await?;
            Ok::<_, StoreError>(order)
        })
    });
    made.await.expect("made")
}

async fn stored(store: &Store, number: u8) -> (Vec<StoredPayment>, NanoCreditSum) {
    let look = store.read(number, |number, tx| {
        Box::pin(async move {
            let payments = Store::payments(tx, &format!("or_{number}")).await?;
            let account = Store::account(tx, &AccountId::new(format!("ac_{number}"))).await?;
            let left = account.map_or(NanoCreditSum::ZERO, |a| NanoCreditSum::total(a.batches().iter().map(|batch| batch.left)));
            Ok::<_, StoreError>((payments, left))
        })
    });
    look.await.expect("read")
}

/// What the chain says against what the store says: every payment of an order in the chain is credited at the order's price, none that is not in it
/// is, and an account has the sum of what is.
async fn check(store: &Store, chain: &Chain) {
    let in_chain: Vec<SeenPayment> = chain.0.lock().expect("lock").blocks.iter().flat_map(|block| block.payments.iter().cloned()).collect();
    let price = PRICE.parse().expect("a price");
    for number in 0..ORDERS {
        let (payments, left) = stored(store, number).await;
        let mut credited = Vec::new();
        for payment in &payments {
            let key = payment.arrival.key;
            let there = in_chain.iter().filter(|seen| (seen.hash, Some(seen.position)) == (key.transaction, key.position)).count();
            let is_credited = payment.state == PaymentState::Credited;
            assert!(is_credited == (there == 1) && payment.in_chain == is_credited, "{there}: {payment:?}");
            let bought = payment.bought.map(|bought| bought.credits).expect("credited once");
            assert_eq!(bought, credits_for_wei(payment.arrival.value, price).expect("in range"));
            credited.extend(is_credited.then_some(bought));
        }
        assert_eq!(left, NanoCreditSum::total(credited), "order {number}: {payments:?}");
        let tagged = in_chain.iter().filter(|seen| seen.tag() == Some(secret(number).tag()));
        let own = |seen: &SeenPayment| payments.iter().any(|p| p.arrival.key.transaction == seen.hash);
        assert!(tagged.clone().all(own), "a payment of order {number} is missing: {payments:?}");
    }
    store.verify().await.expect("every account holds");
}

#[derive(Debug, Clone)]
enum Step {
    Tagged { order: u8, wei: u128 },
    ByAmount { order: u8 },
    Stray { wei: u128 },
    Mine,
    Look,
    Reorganise { depth: usize, out: u8 },
    SendAgain,
    Safer,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..ORDERS, 1_000_000_000_000u128..1_000_000_000_000_000_000).prop_map(|(order, wei)| Step::Tagged { order, wei }),
        2 => (0..ORDERS).prop_map(|order| Step::ByAmount { order }),
        1 => (1u128..1_000_000_000).prop_map(|wei| Step::Stray { wei }),
        5 => Just(Step::Mine),
        6 => Just(Step::Look),
        4 => (1usize..5, any::<u8>()).prop_map(|(depth, out)| Step::Reorganise { depth, out }),
        2 => Just(Step::SendAgain),
        1 => Just(Step::Safer),
        1 => Just(Step::Restart),
    ]
}

/// What a step does to the chain.
fn change(blocks: &mut Blocks, step: &Step, orders: &[NewOrder], dropped: &mut Vec<SeenPayment>) {
    match step {
        Step::Tagged { order, wei } => blocks.pay(calldata(secret(*order).tag()), *wei),
        Step::ByAmount { order } => blocks.pay(vec![], orders[usize::from(*order)].unique.expect("reserved").wei().get()),
        Step::Stray { wei } => blocks.pay(b"hello".to_vec(), *wei),
        Step::Mine => blocks.mine(),
        Step::Reorganise { depth, out } => dropped.extend(blocks.reorganise(*depth, *out)),
        Step::SendAgain => blocks.pool.append(dropped),
        Step::Safer => blocks.safe = (blocks.safe + 3).min(blocks.blocks.len() - 1),
        Step::Look | Step::Restart => {}
    }
}

async fn play(steps: Vec<Step>) {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::Sqlite(folder.path().join("ledger.db"));
    let mut store = Store::open(&database).await.expect("opens");
    let chain = Arc::new(Chain(Mutex::default()));
    chain.0.lock().expect("lock").mine();
    let mut orders = Vec::new();
    for number in 0..ORDERS {
        orders.push(make_order(&store, number).await);
    }
    let (_keep, stop) = watch::channel(false);
    let mut watching = watcher(&store, &chain, i64::MAX);
    let mut dropped = Vec::new();
    for step in steps {
        change(&mut chain.0.lock().expect("lock"), &step, &orders, &mut dropped);
        match step {
            Step::Look => watching.look(&stop).await.expect("looked"),
            Step::Safer => watching.follow_finality().await.expect("looked"),
            Step::Restart => {
                store.close().await;
                store = Store::open(&database).await.expect("opens");
                watching = watcher(&store, &chain, i64::MAX);
            }
            _ => {}
        }
    }
    // Long enough for whatever is gone to be given up.
    (0..12).for_each(|_| chain.0.lock().expect("lock").mine());
    watching.look(&stop).await.expect("looked");
    check(&store, &chain).await;
    // Once finality is what the chain says, looking once more changes nothing.
    watching.follow_finality().await.expect("looked");
    let mut before = Vec::new();
    for number in 0..ORDERS {
        before.push(stored(&store, number).await);
    }
    watcher(&store, &chain, i64::MAX).look(&stop).await.expect("looked");
    for (number, known) in (0..ORDERS).zip(&before) {
        assert_eq!(&stored(&store, number).await, known);
    }
    store.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_credited_is_what_the_chain_says(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(play(steps));
    }
}

/// Two instances on one database that both believe to lead, over reorganisations: nothing is credited twice.
#[tokio::test(flavor = "multi_thread")]
async fn two_leaders_credit_once() {
    let server = PostgresServer::start_with(&NOT_DURABLE).expect("PostgreSQL starts");
    let database: Database = server.fresh_database().expect("a database").parse().expect("an address");
    let stores = [Store::open(&database).await.expect("opens"), Store::open(&database).await.expect("opens")];
    let chain = Arc::new(Chain(Mutex::default()));
    chain.0.lock().expect("lock").mine();
    let mut amounts = Vec::new();
    for number in 0..ORDERS {
        amounts.push(make_order(&stores[0], number).await.unique.expect("reserved").wei().get());
    }
    let (_keep, stop) = watch::channel(false);
    let watchers = [watcher(&stores[0], &chain, i64::MAX), watcher(&stores[1], &chain, i64::MAX)];
    let mut dropped = Vec::new();
    for round in 0..12u8 {
        {
            let mut blocks = chain.0.lock().expect("lock");
            for order in 0..ORDERS {
                blocks.pay(calldata(secret(order).tag()), 1_000_000_000_000_000);
            }
            if round == 0 {
                amounts.iter().for_each(|wei| blocks.pay(vec![], *wei));
            }
            blocks.mine();
            if round % 3 == 2 {
                dropped.extend(blocks.reorganise(2, 0b0101_0101));
            } else {
                blocks.pool.append(&mut dropped);
            }
        }
        let (one, other) = tokio::join!(watchers[0].look(&stop), watchers[1].look(&stop));
        one.expect("looked");
        other.expect("looked");
    }
    (0..12).for_each(|_| chain.0.lock().expect("lock").mine());
    let (one, other) = tokio::join!(watchers[0].look(&stop), watchers[1].look(&stop));
    one.expect("looked");
    other.expect("looked");
    check(&stores[0], &chain).await;
    for store in stores {
        store.close().await;
    }
}
