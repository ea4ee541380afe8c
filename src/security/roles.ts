/** What a user may do, each role what the ones before it may: look; change apps and tasks; change the cluster. */
export const roles = ['read', 'operate', 'admin'] as const;

export type Role = (typeof roles)[number];

/** Whether somebody of role `has` may do what asks for `needs`. */
export const roleAllows = (has: Role, needs: Role): boolean => roles.indexOf(has) >= roles.indexOf(needs);
