/** Asks before a POP is deleted. */
import { useDeletePop } from '../../api/mutations.ts';
import type { PopSituation } from '../../api/pop-situation.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';

interface DeletePopDialogProps {
  /** Null: closed. */
  readonly situation: PopSituation | null;
  readonly onClose: () => void;
}

export function DeletePopDialog({ situation, onClose }: DeletePopDialogProps) {
  const deletePop = useDeletePop();
  return (
    <ConfirmDialog
      isOpen={situation !== null}
      title={`Delete ${situation?.pop.name ?? ''}?`}
      confirmLabel="Delete POP"
      isPending={deletePop.isPending}
      error={deletePop.error}
      onConfirm={() => situation !== null && deletePop.mutate(situation.pop.id, { onSuccess: onClose })}
      onClose={() => {
        deletePop.reset();
        onClose();
      }}
    >
      The name server forgets it at once, and its users are sent to the next POP. Its edges keep running until
      they are stopped. To keep it for later, drain it instead.
    </ConfirmDialog>
  );
}
