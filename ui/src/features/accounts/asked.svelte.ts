/** Which dialog about accounts is open; one at a time. */
export type Asked = { what: 'switch' } | { what: 'key' } | { what: 'typed'; account: string | null } | { what: 'label' | 'rotate' | 'leave'; account: string };

class AccountDialogs {
  current = $state.raw<Asked | null>(null);

  ask(asked: Asked): void {
    this.current = asked;
  }

  close(): void {
    this.current = null;
  }
}

export const dialogs = new AccountDialogs();
