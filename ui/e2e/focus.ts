/** Whether a person sees where the focus is: a ring on it, or on what is drawn in its place, beside it or around it. It runs in the page. */
export function ringShows(): boolean {
  const on = document.activeElement;
  if (on === null || on === document.body) return false;
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.color = 'var(--focus)';
  const colour = getComputedStyle(probe).color;
  probe.remove();
  const ring = (element: Element | null): boolean => {
    if (element === null) return false;
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    return (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1) || boxShadow.includes(colour);
  };
  let around: Element | null = on.parentElement;
  for (let level = 0; level < 4 && around !== null; level += 1, around = around.parentElement) if (ring(around)) return true;
  return ring(on) || ring(on.nextElementSibling);
}
