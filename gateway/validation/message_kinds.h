// What MessageDefinitions say of messages: their event, what they are about, and which messages may answer them.
// Used by: Validator, app (`validate --package`, configuration). Thread rule: immutable once loaded. Failure rule: what
// cannot be opened is the Error; a MessageDefinition that is not well formed goes to `issues`.
#pragma once

#include "gateway/fhir/issues.h"
#include "gateway/fhir/schema.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::validation {

struct MessageKind {
  struct Focus {
    fhir::TypeId type = fhir::kNone;
    std::string profile;  // canonical; empty: any resource of the type
    std::uint32_t min = 0;
    std::uint32_t max = fhir::kUnbounded;
  };
  std::string url;
  std::string eventSystem;  // empty with an eventUri
  std::string event;        // the code, or the eventUri
  std::vector<Focus> focus;
  std::vector<std::string> responses;  // canonicals of the messages that may answer it
};

class MessageKinds {
 public:
  /// The MessageDefinitions among these packages, folders and files.
  static Result<std::shared_ptr<const MessageKinds>> load(const std::vector<std::string>& paths,
                                                          const std::shared_ptr<const fhir::Schema>& schema,
                                                          fhir::Issues& issues);

  const std::vector<MessageKind>& all() const { return kinds_; }
  /// By canonical, a version is ignored; nullptr if it is not known.
  const MessageKind* find(std::string_view canonical) const;
  /// By event; nullptr if none or more than one has it.
  const MessageKind* ofEvent(std::string_view system, std::string_view code) const;
  /// Whether some message names `url` among its allowed responses.
  bool isResponse(std::string_view url) const;

 private:
  void take(const fhir::Document& document);

  std::vector<MessageKind> kinds_;
};

}  // namespace lotsen::validation
