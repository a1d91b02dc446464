/** Chooses the time that figures are shown for. */
import { SegmentedControl } from '@mantine/core';
import { TIME_RANGES, type TimeRange } from '../api/time-range.ts';

interface RangeControlProps {
  readonly value: TimeRange;
  readonly onChange: (range: TimeRange) => void;
  /** Leave out the last minute, where only kept figures can be shown. */
  readonly isKeptOnly?: boolean;
}

export function RangeControl(props: RangeControlProps) {
  const ranges = TIME_RANGES.filter((range) => range.minutes !== null || props.isKeptOnly !== true);
  return (
    <SegmentedControl
      size="xs"
      aria-label="Time shown"
      data={ranges.map(({ value, label }) => ({ value, label }))}
      value={props.value}
      onChange={(value) => {
        const range = TIME_RANGES.find((candidate) => candidate.value === value);
        if (range !== undefined) props.onChange(range.value);
      }}
    />
  );
}
