use super::*;
use crate::{payment_address, watch::Reconciliation};

fn transfer(from: u8, to: u8, value: u128) -> OwnTransfer {
    let account = |byte: u8| if byte == 0 { payment_address().to_alloy() } else { Address::repeat_byte(byte) };
    OwnTransfer {
        index: 0,
        hash: B256::repeat_byte(from),
        from: account(from),
        to: Some(account(to)),
        value: Wei::new(value),
        input: vec![],
        minted: Wei::ZERO,
        is_deposit: false,
        succeeded: true,
        gas_used: 21_000,
        gas_price: Wei::new(10),
        l1: Some(L1Fee { fee: Wei::new(7), operator_scalar: 0, operator_constant: 0 }),
    }
}

fn reconciled(transfers: &[OwnTransfer], before: u128, after: u128) -> Reconciliation {
    OwnTransfers(transfers.to_vec()).flow(payment_address()).reconcile(Wei::new(before), Wei::new(after))
}

fn payments(transfers: &[OwnTransfer]) -> usize {
    OwnTransfers(transfers.to_vec()).payments(payment_address(), DateTime::UNIX_EPOCH).len()
}

const FEE: u128 = 21_000 * 10 + 7;

#[test]
fn money_in_money_out_and_its_fee() {
    let both = [transfer(1, 0, 500), transfer(0, 2, 300_000)];
    assert_eq!(reconciled(&both, 1_000_000, 1_000_000 + 500 - 300_000 - FEE), Reconciliation::Exact);
    assert_eq!(payments(&both), 1);
}

#[test]
fn what_failed_moved_nothing_but_its_fee() {
    let failed = [OwnTransfer { succeeded: false, ..transfer(1, 0, 500) }, OwnTransfer { succeeded: false, ..transfer(0, 2, 300) }];
    assert_eq!(reconciled(&failed, 1_000_000, 1_000_000 - FEE), Reconciliation::Exact);
    assert_eq!(payments(&failed), 0);
}

#[test]
fn what_goes_back_to_oneself_is_no_payment() {
    let own = [transfer(0, 0, 500)];
    assert_eq!(reconciled(&own, 1_000_000, 1_000_000 - FEE), Reconciliation::Exact);
    assert_eq!(payments(&own), 0);
}

#[test]
fn what_l1_created_for_the_address_is_explained_and_no_payment() {
    let deposit = |succeeded| OwnTransfer { minted: Wei::new(900), is_deposit: true, succeeded, ..transfer(0, 2, 400) };
    assert_eq!(reconciled(&[deposit(true)], 100, 600), Reconciliation::Exact);
    assert_eq!(reconciled(&[deposit(false)], 100, 1_000), Reconciliation::Exact);
    assert_eq!(payments(&[deposit(true)]), 0);
    let from_another = OwnTransfer { minted: Wei::new(900), is_deposit: true, ..transfer(1, 0, 400) };
    assert_eq!(reconciled(std::slice::from_ref(&from_another), 100, 500), Reconciliation::Exact);
    assert_eq!(payments(&[from_another]), 1);
}

#[test]
fn the_operator_s_fee_is_reckoned_in_both_ways() {
    let l1 = Some(L1Fee { fee: Wei::new(7), operator_scalar: 3, operator_constant: 11 });
    let out = [OwnTransfer { l1, ..transfer(0, 2, 100) }];
    // 21,000 × 3 ÷ 1,000,000 rounds to 0; 21,000 × 3 × 100 does not.
    let (least, most) = (FEE + 11, FEE + 11 + 6_300_000);
    for fee in [least, most] {
        assert_eq!(reconciled(&out, 10_000_000, 10_000_000 - 100 - fee), Reconciliation::Exact);
    }
    assert_eq!(reconciled(&out, 10_000_000, 10_000_000 - 100 - least + 1), Reconciliation::Surplus { wei: Wei::new(1) });
    assert_eq!(reconciled(&out, 10_000_000, 10_000_000 - 100 - most - 1), Reconciliation::Shortfall { wei: Wei::new(1) });
}

#[test]
fn a_transaction_to_nobody_of_ours_is_left_out_whatever_its_data() {
    let ours = format!("{:#x}", payment_address().to_alloy());
    let block = format!(
        r#"{{"hash":"0x{0}","number":"0x1","transactions":[
        {{"hash":"0x{1}","from":"0x{2}","to":"{ours}","value":"0x0","input":"0x01","type":"0x2"}},
        {{"hash":"0x{1}","from":"0x{2}","to":"0x{2}","value":"0x5","input":"{ours}","type":"0x2"}},
        {{"hash":"0x{1}","from":"0x{2}","to":null,"value":"0x5","input":"0x","type":"0x2","accessList":[{{"address":"{ours}","storageKeys":[]}}]}},
        {{"hash":"0x{1}","from":"0x{2}","to":"{3}","value":"0x5","input":"0x61","type":"0x63","novel":{{"to":"{ours}"}}}},
        {{"type":"0x7e","sourceHash":"0x{0}","mint":"0x9","hash":"0x{1}","from":"{ours}","to":"0x{2}","value":"0x0","input":"0x"}}
        ]}}"#,
        "aa".repeat(32),
        "bb".repeat(32),
        "cc".repeat(20),
        payment_address(),
    );
    let text: BlockText<'_> = serde_json::from_str(&block).expect("a block");
    let found = candidates(&text.transactions, payment_address()).expect("read");
    let seen: Vec<_> = found.iter().map(|found| (found.index, found.value.get(), found.minted.get(), found.is_deposit)).collect();
    assert_eq!(seen, [(3, 5, 0, false), (4, 0, 9, true)]);
}

#[test]
fn payments_stand_in_the_block_s_order() {
    let late = OwnTransfer { index: 9, ..transfer(1, 0, 5) };
    let early = OwnTransfer { index: 2, ..transfer(2, 0, 6) };
    let within = |index, byte, values: &[u128]| TracedTransaction {
        index,
        hash: B256::repeat_byte(byte).into(),
        from: EthAddress::from_bytes([byte; 20]),
        transfers: values
            .iter()
            .map(|value| TracedTransfer::Arrived { payer: EthAddress::from_bytes([7; 20]), value: Wei::new(*value), input: vec![] })
            .collect(),
    };
    let traced = vec![within(2, 2, &[1]), within(5, 5, &[2, 3])];
    let all = OwnTransfers(vec![late, early]).payments_with(traced, payment_address(), DateTime::UNIX_EPOCH);
    let seen: Vec<_> = all.iter().map(|payment| (payment.value.get(), payment.position, payment.tx_from == payment.payer)).collect();
    assert_eq!(seen, [(6, 0, true), (1, 1, false), (2, 1, false), (3, 2, false), (5, 0, true)]);
}
