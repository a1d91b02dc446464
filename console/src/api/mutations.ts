/** Everything the console changes. Each change says so in a notice, and what it touches is read again at once. */
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ApiClient } from '#core/contract/client.ts';
import type { PurgeView } from '#core/contract/purges.ts';
import { useApi } from './api-context.tsx';

interface Change<Input, Output> {
  /** First parts of the query keys whose answers the change makes old. */
  readonly touches: readonly string[];
  /** Sentence for the notice; null: the page itself shows what happened. */
  readonly say: ((output: Output, input: Input) => string) | null;
  readonly perform: (api: ApiClient, input: Input) => Promise<Output>;
}

function useChange<Input, Output>(change: Change<Input, Output>) {
  const api = useApi();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (input: Input) => change.perform(api, input),
    onSuccess: async (output, input) => {
      if (change.say !== null) notifications.show({ message: change.say(output, input), color: 'teal' });
      await Promise.all(change.touches.map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
    },
  });
}

type Body<Operation extends keyof ApiClient> =
  NonNullable<Parameters<ApiClient[Operation]>[0]> extends {
    readonly body: infer B;
  }
    ? B
    : never;

export function useAddSite() {
  return useChange({
    perform: (api, body: Body<'createSite'>) => api.createSite({ body }),
    touches: ['sites', 'status'],
    say: null,
  });
}

export function useChangeSite(id: string) {
  return useChange({
    perform: (api, body: Body<'patchSite'>) => api.patchSite({ params: { id }, body }),
    touches: ['sites', 'status'],
    say: () => `Saved. Every edge has the new settings of ${id} within moments.`,
  });
}

export function useDeleteSite() {
  return useChange({
    perform: (api, id: string) => api.deleteSite({ params: { id } }),
    touches: ['sites', 'status', 'stats'],
    say: (_, id) => `The site ${id} is deleted.`,
  });
}

export function useAddPop() {
  return useChange({
    perform: (api, body: Body<'createPop'>) => api.createPop({ body }),
    touches: ['pops', 'status'],
    say: (pop) => `${pop.name} is added; the name server sends users there from now on.`,
  });
}

export function useSetPopState() {
  return useChange({
    perform: (api, input: { readonly id: string; readonly state: 'active' | 'drained' }) =>
      api.patchPop({ params: { id: input.id }, body: { state: input.state } }),
    touches: ['pops', 'status'],
    say: (pop) =>
      pop.state === 'drained'
        ? `${pop.name} is drained: no new users are sent there.`
        : `${pop.name} takes users again.`,
  });
}

export function useDeletePop() {
  return useChange({
    perform: (api, id: string) => api.deletePop({ params: { id } }),
    touches: ['pops', 'status', 'stats'],
    say: (_, id) => `The POP ${id} is deleted.`,
  });
}

export function usePurge() {
  return useChange<Body<'createPurge'>, PurgeView>({
    perform: (api, body) => api.createPurge({ body }),
    touches: ['purges', 'explain'],
    say: null,
  });
}
