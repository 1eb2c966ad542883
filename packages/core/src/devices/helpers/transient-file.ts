/** Prefix of files in the private directory of a machine that exist only for a moment. A copy of the machine omits them. */
export const TRANSIENT = 'transient-'
