#include "gateway/store/audit_chain.h"

namespace lotsen::store {

namespace {

void append(std::string& to, std::string_view field) {
  for (int shift = 56; shift >= 0; shift -= 8) to += static_cast<char>((field.size() >> shift) & 0xff);
  to += field;
}

}  // namespace

crypto::Digest256 auditHash(const crypto::Digest256& previous, const AuditEntry& entry) {
  std::string content(previous.begin(), previous.end());
  append(content, std::to_string(toMillis(entry.at)));
  append(content, entry.actor);
  append(content, entry.action);
  append(content, entry.transfer);
  append(content, entry.subject);
  append(content, entry.detail);
  return crypto::sha256(content);
}

}  // namespace lotsen::store
