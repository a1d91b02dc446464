/** A place in words, completed from the control plane's cities as it is typed. */
import { Autocomplete, type AutocompleteProps } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useCities } from '../api/queries.ts';

interface PlaceInputProps extends Omit<AutocompleteProps, 'data' | 'value' | 'onChange' | 'filter'> {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

const TYPING_PAUSE_MS = 150;

export function PlaceInput({ value, onChange, ...rest }: PlaceInputProps) {
  const [typed] = useDebouncedValue(value, TYPING_PAUSE_MS);
  const cities = useCities(typed);
  const labels = [...new Set(cities.data?.cities.map((city) => city.label) ?? [])];
  return (
    <Autocomplete
      {...rest}
      value={value}
      onChange={onChange}
      data={typed.trim() === '' ? [] : labels}
      // The control plane has chosen already, also by names that do not begin like what was typed.
      filter={({ options }) => options}
      autoComplete="off"
    />
  );
}
