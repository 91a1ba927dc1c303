import { backend, type BuyPreviewView, type ErrorView, type ReviewView } from '../../backend';
import { answered, app } from '../../state/app.svelte';
import { latest } from '../estimate/latest';

const DOLLARS = /^\$?\s*(\d{1,9}|\d{1,3}(?:,\d{3}){1,2})(?:\.(\d{0,2}))?$/u;

/** Reads an amount of dollars as a person types it, into a decimal string; `null` when it is none. Rust has the last word. */
export function readDollars(typed: string): string | null {
  const match = DOLLARS.exec(typed.trim());
  if (!match) return null;
  const [, dollars = '', cents = ''] = match;
  return `${dollars.replaceAll(',', '')}.${cents.padEnd(2, '0')}`;
}

/** Whole cents in credits: ten thousand to the dollar, so the point moves by four. */
export function creditsOfUsd(cents: string): string {
  const [dollars = '0', fraction = ''] = cents.split('.');
  return `${dollars}${fraction.padEnd(4, '0')}`.replace(/^0+(?=\d)/u, '');
}

/** A purchase before it is signed: the amount that was typed, what it buys, and the order under review. Kept while the app is open. */
export class Purchase {
  typed = $state('25');
  preview = $state.raw<BuyPreviewView | null>(null);
  previewing = $state(false);
  previewError = $state.raw<ErrorView | null>(null);
  review = $state.raw<ReviewView | null>(null);
  /** The review that was paid: the progress screen shows what it promised. */
  paid = $state.raw<ReviewView | null>(null);
  reviewing = $state(false);
  reviewError = $state.raw<ErrorView | null>(null);
  /** The amount that was refused: the refusal is of no other. */
  #refused = $state<string | null>(null);
  paying = $state(false);
  payError = $state.raw<ErrorView | null>(null);
  /** What the amount comes to, or `null` when it cannot be read. */
  usd = $derived(readDollars(this.typed));

  /** Why this amount was not ordered; nothing once it is another amount. */
  refusal = $derived(this.usd === this.#refused ? this.reviewError : null);

  #asking = latest(
    (usd: string) => answered(backend.previewPurchase({ text: usd, unit: 'usd' })),
    (answer) => {
      this.previewing = false;
      if (answer.status === 'ok') {
        this.preview = answer.data;
        this.previewError = null;
      } else {
        this.previewError = answer.error;
      }
    },
  );

  /** Asks what the amount buys now; only the newest answer counts. */
  look(): void {
    if (this.usd === null) {
      this.#asking.drop();
      this.previewing = false;
      return;
    }
    this.previewing = true;
    this.#asking.ask(this.usd);
  }

  /** Forgets every answer that is still to come. */
  leave(): void {
    this.#asking.drop();
    this.previewing = false;
  }

  /** Orders, and has the transaction built and simulated. The amount stays as it was typed, whatever comes of it. */
  async order(): Promise<void> {
    if (this.usd === null || this.reviewing) return;
    const asked = this.usd;
    this.reviewing = true;
    this.reviewError = null;
    const answer = await answered(backend.reviewPurchase({ text: asked, unit: 'usd' }, 'spending_wallet'));
    this.reviewing = false;
    if (answer.status === 'ok') {
      this.review = answer.data;
      this.payError = null;
    } else {
      this.reviewError = answer.error;
      this.#refused = asked;
    }
  }

  /** Signs and sends what was reviewed. */
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
    app.accept(answer.data);
  }

  /** Back to the amount; the order that was reviewed runs out by itself. */
  change(): void {
    this.review = null;
    this.reviewError = null;
    this.payError = null;
  }
}

/** The one purchase of this window. */
export const purchase = new Purchase();
