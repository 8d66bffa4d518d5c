// From the scores of a track's windows to events; the same rule as lilliput/watch/hysteresis.py,
// and where there is one action at a time as lilliput/watch/actions.py.

const SLACK = 1e-6; // seconds; sums of hops are not exact

const middleOf = (window) => (window.start_seconds + window.end_seconds) / 2;

/** Where the cells of a track begin and end: each window's reaches half way to its neighbours. */
export function cellsOf(track) {
  const middles = track.windows.map(middleOf);
  const borders = middles.slice(1).map((middle, i) => (middles[i] + middle) / 2);
  const last = borders.at(-1) ?? track.start_seconds;
  const edges = [track.start_seconds, ...borders, Math.max(track.end_seconds, last)];
  return middles.map((_, i) => ({ start: edges[i], end: edges[i + 1] }));
}

/** The scores of one class averaged over the windows within half of `width` seconds. */
export function smooth(track, index, width) {
  const middles = track.windows.map(middleOf);
  const half = width / 2 + SLACK;
  let first = 0;
  return middles.map((middle) => {
    while (middle - middles[first] > half) first += 1;
    let sum = 0;
    let next = first;
    for (; next < middles.length && middles[next] - middle <= half; next += 1) {
      sum += track.windows[next].scores[index];
    }
    return sum / (next - first);
  });
}

/** The spans in which a class is on.
 *
 * @param cells [{start, end}], seconds.
 * @param scores Smoothed, one for each cell.
 * @param onset The score above which the class goes on.
 * @param settings Those of the server: offset_ratio, min_on_seconds, min_off_seconds.
 * @returns [{start, end, score}], the score being the highest smoothed one.
 */
export function spansOf(cells, scores, onset, settings) {
  const offset = onset * settings.offset_ratio;
  const minOff = Math.max(settings.min_off_seconds - SLACK, SLACK);
  const spans = [];
  let isOn = false;
  cells.forEach(({ start, end }, i) => {
    isOn = scores[i] > onset || (isOn && scores[i] >= offset);
    if (!isOn) return;
    const span = spans.at(-1);
    if (span && start - span.end < minOff) {
      span.end = end;
      span.score = Math.max(span.score, scores[i]);
    } else {
      spans.push({ start, end, score: scores[i] });
    }
  });
  return spans.filter(({ start, end }) => end - start >= settings.min_on_seconds - SLACK);
}

/** The class that each cell stands for, where there is one action at a time; -1 where none is.
 *
 * @param scores Smoothed, of every class one for each cell.
 * @param onsets Of every class.
 * @param ratio offset_ratio of the settings.
 */
export function choose(scores, onsets, ratio) {
  let chosen = -1;
  return scores[0].map((_, i) => {
    const likely = scores.reduce((best, row, k) => (row[i] > scores[best][i] ? k : best), 0);
    const least = chosen < 0 ? Infinity : Math.max(onsets[chosen], scores[likely][i]) * ratio;
    if (chosen >= 0 && scores[chosen][i] >= least) return chosen;
    chosen = scores[likely][i] > onsets[likely] ? likely : -1;
    return chosen;
  });
}

/** The spans of every class, where one is on at a time; those of a class as `spansOf` has them.
 *
 * @param chosen What `choose` returned.
 */
export function spansOfOne(cells, scores, chosen, settings) {
  const minOn = settings.min_on_seconds - SLACK;
  const minOff = Math.max(settings.min_off_seconds - SLACK, SLACK);
  const spans = scores.map(() => []);
  let open = new Map(); // class → the span that it may go on with
  chosen.forEach((k, i) => {
    if (k < 0) return;
    const { start, end } = cells[i];
    const last = open.get(k);
    const span = last && start - last.end < minOff ? last : { start, end, score: 0 };
    span.end = end;
    span.score = Math.max(span.score, scores[k][i]);
    open.set(k, span);
    if (end - span.start < minOn) return;
    if (spans[k].at(-1) !== span) spans[k].push(span);
    open = new Map([[k, span]]); // what was on before is over
  });
  return spans;
}
