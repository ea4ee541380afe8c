/** What masters and agents say of their build: the release whose behaviour is emulated. */
export const version = {
  version: '1.12.0',
  git_sha: '',
  git_branch: '',
  build_date: '2024-08-23 00:00:00 UTC',
  build_time: 1724371200,
  build_user: 'patchpanel',
} as const;
