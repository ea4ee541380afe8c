/** Where Debian keeps the programs that we start; some are in the directories of the administrator. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
