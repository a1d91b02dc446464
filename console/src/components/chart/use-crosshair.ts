/** Which point of a chart the pointer or the arrow keys are at. */
import { bisectCenter } from 'd3-array';
import { type KeyboardEvent, type PointerEvent, useState } from 'react';

export function useCrosshair(positions: readonly number[]) {
  const [index, setIndex] = useState<number | null>(null);
  const last = positions.length - 1;
  return {
    index: index === null || last < 0 ? null : Math.min(index, last),
    listeners: {
      onPointerMove: (event: PointerEvent<SVGSVGElement>) => {
        const { left } = event.currentTarget.getBoundingClientRect();
        setIndex(bisectCenter([...positions], event.clientX - left));
      },
      onPointerLeave: () => setIndex(null),
      onBlur: () => setIndex(null),
      onKeyDown: (event: KeyboardEvent<SVGSVGElement>) => {
        const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
        if (step === 0) return;
        event.preventDefault();
        setIndex((from) => Math.max(0, Math.min(last, (from ?? last + 1) + step)));
      },
    },
  };
}
