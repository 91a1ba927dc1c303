import { backend, type AmountRequest, type AmountUnit, type BuyPreviewView, type ErrorView, type PayWay, type PrefillView, type ReviewView, type WayView } from '../../backend';
import { trimmed } from '../../format';
import { answered, app } from '../../state/app.svelte';
import { latest } from '../estimate/latest';
import { creditsOfUsd, readAmount } from './amounts';

const keyOf = (amount: AmountRequest): string => `${amount.unit} ${amount.text}`;

/** A purchase before it is signed: the amount that was typed, what it buys, and the order under review. Kept while the app is open. */
export class Purchase {
  typed = $state('25');
  unit = $state<AmountUnit>('usd');
  preview = $state.raw<BuyPreviewView | null>(null);
  previewing = $state(false);
  previewError = $state.raw<ErrorView | null>(null);
  review = $state.raw<ReviewView | null>(null);
  /** The review that was paid: the progress screen shows what it promised. */
  paid = $state.raw<ReviewView | null>(null);
  reviewing = $state(false);
  reviewError = $state.raw<ErrorView | null>(null);
  /** The amount and way that were refused: the refusal is of no other. */
  #refused = $state<string | null>(null);
  /** The amount that the preview is of. */
  #previewed = $state<string | null>(null);
  paying = $state(false);
  payError = $state.raw<ErrorView | null>(null);
  /** The way that the person chose; none yet leaves it to `way`. */
  chosen = $state<PayWay | null>(null);
  /** What was filled in for the person, until they type or put it away. */
  prefilled = $state.raw<PrefillView | null>(null);
  #seen: string | null = null;

  /** The amount as a decimal string, or `null` when it cannot be read. */
  text = $derived(readAmount(this.typed, this.unit));

  /** Whether the preview is of what stands in the field. */
  isCurrent = $derived(this.preview !== null && this.text !== null && this.#previewed === keyOf({ text: this.text, unit: this.unit }));

  /** The ways as Rust lists them; before the first answer, the wallet that is there. */
  ways = $derived<WayView[]>(this.preview?.ways ?? (app.view?.wallet == null ? [] : [{ way: 'spending_wallet', why_not: null }]));

  /** The way that is chosen: the person's choice, else the built-in wallet when it holds something, else the first that can be used. */
  way = $derived.by((): PayWay | null => {
    const listed = (way: PayWay): boolean => this.ways.some((one) => one.way === way && canChoose(one));
    if (this.chosen !== null && listed(this.chosen)) return this.chosen;
    const holds = app.view?.profile.kind === 'sandbox' || /[1-9]/u.test(app.view?.wallet?.balance_eth ?? '');
    if (holds && listed('spending_wallet')) return 'spending_wallet';
    return this.ways.find(canChoose)?.way ?? null;
  });

  /** Why this amount was not ordered; nothing once it is another amount or way. */
  refusal = $derived(this.#refused === this.#order() ? this.reviewError : null);

  #asking = latest(
    (amount: AmountRequest) => answered(backend.previewPurchase(amount)),
    (answer, amount) => {
      this.previewing = false;
      if (answer.status === 'ok') {
        this.preview = answer.data;
        this.#previewed = keyOf(amount);
        this.previewError = null;
      } else {
        this.previewError = answer.error;
      }
    },
  );

  #order(): string {
    return `${this.unit} ${this.text ?? ''} ${this.way ?? ''}`;
  }

  /** Asks what the amount buys now; only the newest answer counts. */
  look(): void {
    if (this.text === null) {
      this.#asking.drop();
      this.previewing = false;
      return;
    }
    this.previewing = true;
    this.#asking.ask({ text: this.text, unit: this.unit });
  }

  /** Forgets every answer that is still to come. */
  leave(): void {
    this.#asking.drop();
    this.previewing = false;
  }

  /** Puts an amount of dollars into the field. */
  setUsd(usd: string): void {
    this.unit = 'usd';
    this.typed = usd;
  }

  /** Shows the same amount in another unit, to the last digit; what is not known of it is left to be typed. */
  setUnit(unit: AmountUnit): void {
    if (unit === this.unit) return;
    const { preview, text } = this;
    const from = this.unit;
    this.unit = unit;
    if (this.isCurrentOf(from) && preview !== null) {
      this.typed = trimmed({ usd: preview.usd, eth: preview.value_eth, credits: preview.credits }[unit]);
    } else if (from === 'usd' && unit === 'credits' && text !== null) {
      this.typed = creditsOfUsd(text);
    } else {
      this.typed = '';
    }
  }

  private isCurrentOf(unit: AmountUnit): boolean {
    const text = readAmount(this.typed, unit);
    return text !== null && this.#previewed === keyOf({ text, unit });
  }

  /** Takes an amount that a link or a reminder asks for, once. */
  prefill(asked: PrefillView | null): void {
    const key = asked === null ? null : `${asked.reason} ${asked.usd}`;
    if (key === this.#seen) return;
    this.#seen = key;
    if (asked === null) return;
    this.setUsd(asked.usd);
    this.prefilled = asked;
    this.change();
  }

  /** Puts the suggestion away; the amount stays. */
  dismiss(): void {
    this.prefilled = null;
    void answered(backend.dismissPrefill()).then((answer) => (answer.status === 'ok' ? app.accept(answer.data) : undefined));
  }

  /** Orders, and has the transaction built and simulated. The amount stays as it was typed, whatever comes of it. */
  async order(): Promise<void> {
    if (this.text === null || this.way === null || this.reviewing) return;
    const asked = this.#order();
    this.reviewing = true;
    this.reviewError = null;
    const answer = await answered(backend.reviewPurchase({ text: this.text, unit: this.unit }, this.way));
    this.reviewing = false;
    if (answer.status === 'ok') {
      this.review = answer.data;
      this.payError = null;
    } else {
      this.reviewError = answer.error;
      this.#refused = asked;
    }
  }

  /** Signs and sends what was reviewed, or asks the wallet that was chosen. */
  async pay(): Promise<void> {
    const review = this.review;
    if (review === null || this.paying) return;
    this.paying = true;
    this.payError = null;
    const answer = await answered(backend.pay(review.order_id));
    this.paying = false;
    if (answer.status === 'error') {
      this.payError = answer.error;
      return;
    }
    this.paid = review;
    this.review = null;
    this.prefilled = null;
    app.accept(answer.data);
  }

  /** Back to the amount; the order that was reviewed runs out by itself. */
  change(): void {
    this.review = null;
    this.reviewError = null;
    this.payError = null;
  }
}

/** Whether a way can be chosen: too little ether is a matter of the amount, all else of the way. */
export function canChoose({ why_not }: WayView): boolean {
  return why_not === null || why_not.code === 'not_enough_ether';
}

/** The one purchase of this window. */
export const purchase = new Purchase();
