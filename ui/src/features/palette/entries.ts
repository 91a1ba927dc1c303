/** What the palette finds: models, batches, payments, runs, places, and what can be done. */
import ArrowRight from '@lucide/svelte/icons/arrow-right';
import CalendarPlus from '@lucide/svelte/icons/calendar-plus';
import Compass from '@lucide/svelte/icons/compass';
import EyeOff from '@lucide/svelte/icons/eye-off';
import Keyboard from '@lucide/svelte/icons/keyboard';
import Moon from '@lucide/svelte/icons/moon';
import Receipt from '@lucide/svelte/icons/receipt';
import RefreshCw from '@lucide/svelte/icons/refresh-cw';
import Sliders from '@lucide/svelte/icons/sliders-horizontal';
import Sun from '@lucide/svelte/icons/sun';
import SunMoon from '@lucide/svelte/icons/sun-moon';
import Table from '@lucide/svelte/icons/table-2';
import Users from '@lucide/svelte/icons/users';
import type { AppView, ModelView } from '../../backend';
import { isCharge, runIcon } from '../../components/run-kind';
import { sourceIcon, sourceShort } from '../../components/source';
import { credits, creditsShort, dateTime, dateYearTime, dayMonth, negated, usdExact } from '../../format';
import { m } from '../../i18n';
import { act, canAct } from '../../state/actions.svelte';
import { actions, type ActionId, type Chord } from '../../state/action-table';
import { go, goBatch, goEntry, goPayment, goSettings, SCREENS, type Screen, type SettingsSection } from '../../state/route.svelte';
import { paidWith } from '../buy/ways';
import { kindName, variant } from '../estimate/words';
import { stateWords } from '../payments/words';
import { NAV, navItems } from '../shell/nav';
import { estimateWith } from './estimating';
import type { Ranked } from './rank';

/** Groups, in the order in which they stand when none fits better than another. */
export const GROUPS = ['price', 'runs', 'batches', 'payments', 'do'] as const;
export type Group = (typeof GROUPS)[number];

export interface Entry extends Ranked {
  id: string;
  group: Group;
  icon: typeof Sun;
  /** Beside the title. */
  detail?: string;
  /** At the right: a figure and its unit. */
  figure?: string;
  unit?: string;
  chord?: Chord;
  run: () => void;
}

export const groupName: Record<Group, () => string> = {
  price: m.palette_price,
  runs: m.palette_runs,
  batches: m.shell_batches,
  payments: m.palette_payments,
  do: m.palette_do,
};

const PICTURES: Partial<Record<ActionId, typeof Sun>> = {
  sync: RefreshCw,
  hide_amounts: EyeOff,
  accounts: Users,
  calendar_file: CalendarPlus,
  theme_light: Sun,
  theme_dark: Moon,
  theme_system: SunMoon,
  tour: Compass,
  table_twin: Table,
  shortcuts: Keyboard,
};

const SETTINGS: Record<SettingsSection, () => string> = {
  account: m.settings_account,
  wallet: m.settings_wallets,
  network: m.settings_network,
  privacy: m.settings_privacy,
  reminders: m.reminders_title,
  look: m.settings_look,
  data: m.settings_data,
};

/** Other words for a place. Named one by one: a name that is put together would keep every message with the palette. */
const ALSO: Record<Screen, () => string> = {
  overview: m.palette_also_overview,
  batches: m.palette_also_batches,
  estimate: m.palette_also_estimate,
  buy: m.palette_also_buy,
  usage: m.palette_also_usage,
  settings: m.palette_also_settings,
};

const isScreen = (id: string): id is `go_${Screen}` => SCREENS.some((screen) => id === `go_${screen}`);

/** Places to go, and what can be done where the person is. */
export function doings(view: AppView): Entry[] {
  const places = navItems(view.session.kind === 'signed_out').map((item): Entry => ({
    id: `go-${item.screen}`,
    group: 'do',
    icon: item.icon,
    title: item.label(),
    also: ALSO[item.screen](),
    chord: [item.key],
    run: () => go(item.screen),
  }));
  const done = actions.filter((one) => one.keysOnly !== true && !isScreen(one.id) && canAct(one.id)).map((one): Entry => ({
    id: `do-${one.id}`,
    group: 'do',
    icon: PICTURES[one.id] ?? ArrowRight,
    title: one.label(),
    also: '',
    ...(one.chord === undefined ? {} : { chord: one.chord }),
    run: () => void act(one.id),
  }));
  return [...places, ...done];
}

/** Sections of the settings: found by name, not listed before anything is typed. */
export const settings = (): Entry[] =>
  (Object.keys(SETTINGS) as SettingsSection[]).map((id) => ({
    id: `settings-${id}`, group: 'do', icon: Sliders, title: SETTINGS[id](), detail: m.shell_settings(), also: m.shell_settings(), run: () => goSettings(id),
  }));

/** Models, each with the price of its usual run. */
export const models = (list: readonly ModelView[]): (Entry & { model: ModelView })[] =>
  list.map((model) => ({
    id: `model-${model.model_id}`,
    group: 'price',
    icon: runIcon(model.kind),
    title: model.name,
    detail: model.variant === '' ? model.base_run : `${model.base_run}, ${variant(model.variant).toLowerCase()}`,
    also: `${kindName(model.kind)} ${model.variant === '' ? '' : variant(model.variant)}`,
    figure: creditsShort(model.base_credits),
    unit: m.palette_credits(),
    run: () => estimateWith(model),
    model,
  }));

/** Batches that hold something. */
export const batches = (view: AppView): Entry[] =>
  (view.account?.batches ?? []).map((one) => ({
    id: `batch-${one.batch_id}`,
    group: 'batches',
    icon: sourceIcon(one.source),
    title: m.palette_batch({ source: sourceShort(one.source), date: dayMonth(one.added) }),
    detail: [m.palette_ends({ when: dateTime(one.expires) }), one.note].filter((part) => part !== null).join(m.common_comma()),
    also: `${m.palette_also_batch()} ${dateTime(one.expires)} ${one.note ?? ''}`,
    figure: credits(one.left_credits),
    run: () => goBatch(one.batch_id),
  }));

/** Payments, the one that is followed first. */
export function payments(view: AppView): Entry[] {
  const open = view.payment;
  const rows = open === null ? view.payments : [open, ...view.payments.filter((row) => row.order_id !== open.order_id)];
  return rows.map((row) => ({
    id: `payment-${row.order_id}`,
    group: 'payments',
    icon: Receipt,
    title: m.palette_payment({ usd: usdExact(row.usd), date: dateYearTime(row.created) }),
    detail: `${paidWith(row.way, row.wallet_name)}, ${stateWords(row)}`,
    also: `${m.palette_payments()} ${row.order_id} ${row.transaction_hash ?? ''}`,
    figure: credits(row.credits),
    run: () => (open?.order_id === row.order_id ? go('buy') : goPayment(row.order_id)),
  }));
}

/** Runs of late. */
export const runs = (view: AppView): Entry[] =>
  (view.account?.usage ?? []).filter((row) => isCharge(row) && row.model_name !== '').map((row) => ({
    id: `run-${row.entry_id}`,
    group: 'runs',
    icon: NAV.find(({ screen }) => screen === 'usage')?.icon ?? ArrowRight,
    title: row.model_name,
    detail: dateTime(row.at),
    also: m.palette_runs(),
    figure: credits(negated(row.change_credits)),
    run: () => goEntry(row.sequence),
  }));
