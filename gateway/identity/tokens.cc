#include "gateway/identity/tokens.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <filesystem>

namespace lotsen::identity {

namespace {

constexpr std::uintmax_t kMaxFile = 64 * 1024;

// b64token of RFC 6750 section 2.1
bool isTokenText(std::string_view text) {
  const auto padding = text.find('=');
  const auto body = text.substr(0, padding);
  const auto isTokenCharacter = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~+/").find(c) != std::string_view::npos;
  };
  return !body.empty() && std::all_of(body.begin(), body.end(), isTokenCharacter) &&
         (padding == text.npos || text.find_first_not_of('=', padding) == text.npos);
}

Status checkFile(const std::string& file) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::is_regular_file(status))
    return fail(Code::Invalid, "token file " + file + " does not exist or is no regular file");
  if ((status.permissions() & fs::perms::others_all) != fs::perms::none) {
    return fail(Code::Invalid, "token file " + file + " is open to all users of this machine; run: chmod o= " + file);
  }
  const auto size = fs::file_size(file, error);
  if (error || size > kMaxFile)
    return fail(Code::Invalid, "token file " + file + " is over 64 kB; it should hold one token a line");
  return done();
}

// The part behind "Bearer"; empty when the scheme is another.
std::string_view bearerToken(std::string_view header) {
  constexpr std::string_view kScheme = "Bearer ";
  if (header.size() <= kScheme.size() || !equalsIgnoreCase(header.substr(0, kScheme.size()), kScheme)) return {};
  return trim(header.substr(kScheme.size()));
}

}  // namespace

Result<TokenRegistry> TokenRegistry::load(const std::vector<TokenSource>& sources) {
  TokenRegistry registry;
  for (const TokenSource& source : sources) LOTSEN_TRY_DO(registry.addFile(source));
  return registry;
}

Status TokenRegistry::addFile(const TokenSource& source) {
  LOTSEN_TRY_DO(checkFile(source.file));
  std::string content;
  if (!readFile(source.file, content)) {
    return fail(Code::Invalid, "token file " + source.file + " of partner " + source.partner +
                                   " cannot be read; give the user that runs the gateway read access");
  }
  principals_.push_back({source.partner, source.permissions});
  const std::size_t before = entries_.size();
  std::size_t number = 0;
  for (const auto line : split(content, '\n')) {
    ++number;
    if (const auto token = trim(line); !token.empty()) {
      LOTSEN_TRY_DO(addToken(token, source.file + ":" + std::to_string(number)));
    }
  }
  crypto::wipe(content);
  if (entries_.size() > before) return done();
  return fail(Code::Invalid, "token file " + source.file + " of partner " + source.partner +
                                 " holds no token; make one with: openssl rand -base64 32");
}

Status TokenRegistry::addToken(std::string_view token, const std::string& where) {
  if (token.size() < kMinLength || token.size() > kMaxLength || !isTokenText(token)) {
    return fail(Code::Invalid,
                where + ": a token is " + std::to_string(kMinLength) + " to " + std::to_string(kMaxLength) +
                    " letters, digits and -._~+/ with = at the end; make one with: openssl rand -base64 32");
  }
  const crypto::Digest256 digest = crypto::sha256(token);
  const bool known =
      std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.digest == digest; });
  if (known)
    return fail(Code::Invalid, where + ": this token is there already; a token belongs to one partner and stands once");
  entries_.push_back({digest, principals_.size() - 1});
  return done();
}

Result<Principal> TokenRegistry::authenticate(std::string_view header) const {
  const auto token = bearerToken(header);
  if (token.size() < kMinLength || token.size() > kMaxLength) return fail(Code::Unauthenticated, std::string(kRefusal));
  const crypto::Digest256 digest = crypto::sha256(token);
  // Every entry is compared, a hit ends nothing: the time tells neither whether nor where.
  const Principal* found = nullptr;
  for (const Entry& entry : entries_) {
    if (crypto::constantTimeEquals(entry.digest, digest)) found = &principals_[entry.principal];
  }
  if (found == nullptr) return fail(Code::Unauthenticated, std::string(kRefusal));
  return *found;
}

}  // namespace lotsen::identity
