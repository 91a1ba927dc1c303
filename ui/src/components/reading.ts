/** What a drawing that is read along with the keys says of itself: how many places it has, and what stands at the one that is read. */
export const readingAt = (label: string, last: number, words: string | undefined) => ({
  'aria-label': label,
  'aria-valuemin': 0,
  'aria-valuemax': last,
  'aria-valuetext': words,
});
