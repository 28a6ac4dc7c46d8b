// The hash chain of the audit: row n holds SHA-256(hash of row n-1, its own content), so that a changed, removed or
// inserted row breaks every hash after it. It proves that nobody edited history by hand; it does not stop somebody who
// recomputes the whole chain: for that the newest hash must leave the machine (the log does). Used by the back ends.
// Thread rule: pure.
//
// Content is each field as 8 bytes of length, big-endian, then its bytes; the instant as decimal milliseconds. The
// first row follows 32 zero bytes. Rejected: JSON as content (two writers, two spellings), a Merkle tree (nobody asks
// for proofs of single rows).
#pragma once

#include "gateway/crypto/digest.h"
#include "gateway/store/store.h"

namespace lotsen::store {

crypto::Digest256 auditHash(const crypto::Digest256& previous, const AuditEntry& entry);

}  // namespace lotsen::store
