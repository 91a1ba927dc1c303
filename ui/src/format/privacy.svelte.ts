/** Whether amounts are masked. What reads it follows when it changes. */
class Privacy {
  hidden = $state(false);
}

export const privacy = new Privacy();
