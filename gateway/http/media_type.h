// Media types of request bodies (RFC 9110 section 8.3). Used by inbound before it hands a body to a parser.
// Thread rule: pure functions. Failure rule: Result with Code::Invalid.
#pragma once

#include "gateway/base/result.h"
#include "gateway/http/message.h"

#include <string>
#include <string_view>

namespace lotsen::http {

struct MediaType {
  std::string name;     // "application/fhir+json", lower case, without parameters; empty when the request does not say
  std::string charset;  // lower case; empty when not given

  /// JSON in any of its names: application/json, application/fhir+json, any +json suffix, text/json.
  bool isJson() const;
  bool isXml() const;
  /// No charset, utf-8 or us-ascii: the bytes may go to a UTF-8 parser.
  bool isUtf8() const;
};

/// Parameters other than charset are allowed and ignored, quoted values included. Invalid: not `type/subtype`, or
/// broken parameters.
Result<MediaType> parseMediaType(std::string_view text);

/// The Content-Type of the request.
Result<MediaType> mediaType(const Request& request);

}  // namespace lotsen::http
