/** Adds a POP: the city it is in and the addresses of its edge. */
import { Button, Group, Modal, Stack, TagsInput, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { popCreateSchema } from '#core/contract/pops.ts';
import { useAddPop } from '../../api/mutations.ts';
import { refusalErrors, schemaErrors, WHOLE_FORM } from '../../forms/form-errors.ts';
import { FormMessage } from '../../forms/form-message.tsx';
import { PlaceInput } from '../../forms/place-input.tsx';

interface FormValues {
  readonly at: string;
  /** Empty: the city's. */
  readonly name: string;
  readonly addresses: readonly string[];
}

function toBody(values: FormValues) {
  const name = values.name.trim();
  return {
    at: values.at.trim(),
    addresses: values.addresses.map((address) => address.trim()),
    ...(name === '' ? {} : { name }),
  };
}

function fieldOf(path: string): string | null {
  if (path === 'at' || path === 'location') return 'at';
  if (path.startsWith('addresses') || path.startsWith('edges')) return 'addresses';
  return path === 'name' || path === 'id' ? 'name' : null;
}

function validate(values: FormValues): Record<string, string> {
  const errors = schemaErrors(popCreateSchema, toBody(values), fieldOf);
  if (values.at.trim() === '') errors.at = 'is missing: name a city, or give latitude,longitude';
  if (values.addresses.length === 0)
    errors.addresses = 'is missing: give the address users reach the edge at';
  return errors;
}

function AddPopForm({ onClose }: { readonly onClose: () => void }) {
  const addPop = useAddPop();
  const form = useForm<FormValues>({ initialValues: { at: '', name: '', addresses: [] }, validate });
  const submit = form.onSubmit((values) =>
    addPop.mutate(toBody(values), {
      onSuccess: onClose,
      onError: (error) => form.setErrors(refusalErrors(error, fieldOf)),
    }),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <PlaceInput
          label="City"
          description="Or latitude,longitude"
          placeholder="Frankfurt"
          data-autofocus
          {...form.getInputProps('at')}
          value={form.values.at}
        />
        <TagsInput
          label="Addresses"
          description="IPv4 and IPv6 addresses of its edge. Enter adds one."
          placeholder={form.values.addresses.length === 0 ? '192.0.2.10' : ''}
          acceptValueOnBlur
          {...form.getInputProps('addresses')}
          value={[...form.values.addresses]}
        />
        <TextInput label="Name" placeholder="the city’s" {...form.getInputProps('name')} />
        <FormMessage message={form.errors[WHOLE_FORM]} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={addPop.isPending}>
            Add POP
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function AddPopDialog(props: { readonly isOpen: boolean; readonly onClose: () => void }) {
  return (
    <Modal opened={props.isOpen} onClose={props.onClose} title="Add a POP" size="lg">
      <AddPopForm onClose={props.onClose} />
    </Modal>
  );
}
