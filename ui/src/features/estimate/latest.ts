/** Asks again and again and hands on only the answer to the newest question. */
export interface Latest<Q> {
  /** Asks; an older question's answer is dropped from now on. */
  ask(question: Q): void;
  /** Drops every answer that is still to come. */
  drop(): void;
}

/** Latest answer wins: stale answers are dropped, whichever order they arrive in. */
export function latest<Q, A>(ask: (question: Q) => Promise<A>, take: (answer: A, question: Q) => void): Latest<Q> {
  let newest = 0;
  return {
    ask(question) {
      newest += 1;
      const mine = newest;
      void ask(question).then((answer) => {
        if (mine === newest) take(answer, question);
      });
    },
    drop() {
      newest += 1;
    },
  };
}
