/** Every bound of the store, in one place. Those of the protocol are in core. Bytes unless the name says otherwise. */

/** Heads of one signer that are kept for one chain: the newest, and a few in case a branch is switched. */
export const maxHeadsPerSigner = 4
