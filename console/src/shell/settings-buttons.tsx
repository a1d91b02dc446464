/** Light or dark, and the way out. */
import SignOutIcon from '@heroicons/react/24/outline/ArrowRightStartOnRectangleIcon';
import MoonIcon from '@heroicons/react/24/outline/MoonIcon';
import SunIcon from '@heroicons/react/24/outline/SunIcon';
import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useSession } from '../session/session-context.tsx';
import classes from './shell.module.css';

export function SettingsButtons() {
  const session = useSession();
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme('light', { getInitialValueInEffect: false }) === 'dark';
  const switchLabel = isDark ? 'Switch to light' : 'Switch to dark';
  return (
    <div className={classes.settings}>
      <ActionIcon
        variant="subtle"
        color="gray"
        title={switchLabel}
        aria-label={switchLabel}
        onClick={() => setColorScheme(isDark ? 'light' : 'dark')}
      >
        {isDark ? <SunIcon width={18} /> : <MoonIcon width={18} />}
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        color="gray"
        title="Sign out"
        aria-label="Sign out"
        onClick={() => session.signOut()}
      >
        <SignOutIcon width={18} />
      </ActionIcon>
    </div>
  );
}
