import { useQuery } from "@tanstack/react-query";
import { ActionIcon, Menu, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { IconBook, IconClock, IconDeviceDesktop, IconDotsVertical, IconLogout, IconMoon, IconSun } from "@tabler/icons-react";

import { get } from "../../api/client";
import type { Session } from "../../api/monitors";
import { signOut } from "../../api/session";
import { showUtc, useIsUtc } from "../../ui/format/zone";

/** Light or dark, times in UTC, the documentation, who is signed in, and the way out. */
export function UserMenu({ onSignedOut }: { onSignedOut: () => void }) {
  const { setColorScheme, clearColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const isUtc = useIsUtc();
  const session = useQuery({
    queryKey: ["session"],
    queryFn: ({ signal }) => get<Session>("/session", {}, signal),
  });
  const other = scheme === "dark" ? "light" : "dark";

  const leave = async () => {
    // Where the server cannot be reached, the page still forgets the session.
    const left = await signOut().catch(() => undefined);
    if (left?.next) window.location.assign(left.next);
    else onSignedOut();
  };

  return (
    <>
      <Tooltip label={`Switch to ${other}`}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={`Switch to the ${other} theme`}
          onClick={() => setColorScheme(other)}
        >
          {scheme === "dark" ? <IconSun size={18} /> : <IconMoon size={18} />}
        </ActionIcon>
      </Tooltip>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label="More">
            <IconDotsVertical size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconDeviceDesktop size={15} />} onClick={clearColorScheme}>
            Use the system theme
          </Menu.Item>
          <Menu.Item leftSection={<IconClock size={15} />} onClick={() => showUtc(!isUtc)}>
            {isUtc ? "Show times in your time zone" : "Show times in UTC"}
          </Menu.Item>
          <Menu.Item leftSection={<IconBook size={15} />} component="a" href="/docs" target="_blank" rel="noreferrer">
            API documentation
          </Menu.Item>
          <Menu.Divider />
          {session.data && (
            <Menu.Item component="a" href="/account">
              {whoIs(session.data)}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconLogout size={15} />} onClick={() => void leave()}>
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

function whoIs({ org, user, role }: Session): string {
  return `Who I am: ${user ? `${user}, ${role ?? ""} of ${org}` : `a key of ${org}`}`;
}
