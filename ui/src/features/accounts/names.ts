import type { AccountRowView, TypedFault, TypedFaultView, TypedField } from '../../backend';
import { m } from '../../i18n';

/** What an account is called: as the person named it, else by what tells it from others. */
export function accountName(row: AccountRowView): string {
  if (row.label !== null) return row.label;
  if (row.kind === 'by_hand') return m.accounts_by_hand();
  return row.key_hint === null ? m.shell_account() : m.shell_account_key({ hint: row.key_hint });
}

/** Which account credits go to, as far as there is a choice of them; its id beside its name. */
export function creditedTo(rows: AccountRowView[], account: string | null, there: boolean): { name: string; id: string | null } | null {
  if (account === null) return rows.length === 0 || there ? null : { name: m.accounts_credited_new(), id: null };
  const row = rows.find((one) => one.account_id === account);
  if (row === undefined) return { name: m.accounts_credited_elsewhere(), id: account };
  return rows.length > 1 ? { name: accountName(row), id: account } : null;
}

/** What it is made of. */
export function accountKind(row: AccountRowView, isSandbox: boolean): string {
  if (row.kind === 'by_hand') return row.label === null ? '' : m.accounts_by_hand();
  return isSandbox ? m.accounts_sandbox() : m.accounts_service();
}

const FIELDS: Record<TypedField, () => string> = {
  line: m.typed_field_line,
  note: m.typed_field_note,
  granted: m.typed_field_granted,
  left: m.typed_field_left,
  added: m.typed_field_added,
  expires: m.typed_field_expires,
};
const FAULTS: Record<TypedFault, (given: { given: string }) => string> = {
  missing: m.typed_missing,
  not_amount: m.typed_not_amount,
  not_instant: m.typed_not_instant,
  above_granted: m.typed_above_granted,
  ends_first: m.typed_ends_first,
  too_long: m.typed_too_long,
  field_count: m.typed_field_count,
  no_header: m.typed_no_header,
  too_many: m.typed_too_many,
  not_text: m.typed_not_text,
};

/** What is wrong with a line of a file, or with a batch that was typed. */
export function faultWords(fault: TypedFaultView, inFile: boolean): string {
  const words = { line: fault.line, field: FIELDS[fault.field](), fault: FAULTS[fault.fault]({ given: fault.given }) };
  return inFile ? m.typed_fault_line(words) : m.typed_fault_row(words);
}
