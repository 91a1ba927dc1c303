/** Whether amounts are masked. What reads it follows when it changes. */
class Privacy {
  hidden = $state(false);
}

export const privacy = new Privacy();

/** Stands for any amount: one width, so that nothing tells how long it is. */
export const MASK = '•••••';
