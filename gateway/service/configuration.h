// What the use cases need to know of the world, as one immutable snapshot: who we are, partners, channels, agreements,
// policies, compiled maps and templates. `app` builds it from the configuration file and swaps it as a whole on reload.
// Thread rule: immutable, shared as std::shared_ptr<const Configuration>. Failure rule: none; app checks everything
// before.
#pragma once

#include "gateway/definitions/definitions.h"
#include "gateway/letter/files.h"
#include "gateway/mapping/loss.h"
#include "gateway/mapping/mapping.h"
#include "gateway/service/personality.h"
#include "gateway/store/store.h"
#include "gateway/transfer/agreement.h"
#include "gateway/validation/message_kinds.h"
#include "gateway/validation/validation.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::service {

/// What faults that validation finds lead to. Refuse: a message is not taken, a record that is taken already is parked,
/// a leg is parked before anything leaves. Warn: it goes on, and the faults are kept with it. Off: nobody looks.
enum class Strictness : std::uint8_t { Refuse, Warn, Off };

/// The kind of all messages that answer one of ours; other kinds are channels ("pas/referral") and the codes of events.
inline constexpr std::string_view kAcknowledgementKind = "acknowledgement";

/// How strict we are with what comes from a partner, or with what goes there.
struct ValidationRules {
  Strictness otherwise = Strictness::Refuse;
  std::map<std::string, Strictness, std::less<>> kinds;
  Strictness of(std::string_view kind) const {
    const auto found = kinds.find(kind);
    return found == kinds.end() ? otherwise : found->second;
  }
};

/// Name and ways to reach an organisation, as messages and letters tell it.
struct Contact {
  std::string hsaId;
  std::string name;
  std::string endpoint;  // its address in MessageHeader: a URL or urn
  std::string phone;
  std::vector<std::string> addressLines;
  std::string postalCode;
  std::string city;
};

struct Partner {
  std::string id;
  Contact contact;
  bool local = false;                // a system of our own care giver: messages for it are handed on
  std::string endpoint;              // endpoint id for messages; empty: we never send to it
  Personality personality;           // its specification's habits, with what its section overrides
  std::vector<std::string> senders;  // HSA-ids and endpoint addresses that it may name as sender; its own HSA-id always
  ValidationRules validateIn, validateOut;
};

/// One kind of source record that `/intake/{channel}` takes (mappings/*/channels.conf). Paths are of first children in
/// the record.
struct Channel {
  std::string id;  // "pas/referral"
  store::RecordKind kind = store::RecordKind::Referral;
  fhir::TypeId model = fhir::kNone;
  std::string idPath, versionPath, casePath;
  std::string
      senderPath;  // an id "<HSA-id of the source system>#…" whose first part must be the authenticated partner's
  struct Person {
    std::string path, systemPath;  // where the record may name the identifier's system; empty: it does not
  };
  std::vector<Person> persons;  // identifiers that are checked before the commit
  std::vector<std::string> units, numbers;
  /// What a source field means that is neither mapped nor dropped. Carry: the original goes along to the provider
  /// (understanding.h); referrals only.
  enum class Unaccounted { Refuse, Warn, Carry } unaccounted = Unaccounted::Refuse;
  mapping::DropList drops;  // the .drop file beside the entry map
  bool voidsReleases = false;
  std::vector<std::string> profiles;   // that the canonical Bundle must conform to
  std::vector<mapping::MapText> maps;  // what `map` was compiled from
  std::shared_ptr<const mapping::Library> map;
};

/// What one leg is made with: a map to a message, or a map to letter data and a template.
struct LegMaker {
  std::shared_ptr<const mapping::Library> map;
  std::vector<std::string> profiles;         // that the message must conform to
  const letter::Template* letter = nullptr;  // letters only; in Configuration::templates
};

struct Configuration {
  std::string revision;  // digest over everything that was read
  Instant loadedAt;
  Contact gateway;
  std::string regionName, regionOrganisationNumber;
  transfer::RegionPolicy policy;
  std::vector<std::pair<std::string, std::string>> texts;  // the region's letter texts: elements of Leg.policy
  std::map<std::string, Partner> partners;
  std::map<std::string, Channel> channels;
  std::map<std::string, transfer::Agreement> agreements;
  std::map<store::Role, LegMaker> legs;
  std::shared_ptr<const definitions::Definitions> definitions;  // R4, those beside the mappings, and of packages
  std::shared_ptr<const validation::MessageKinds> messages;     // of the same
  std::shared_ptr<const validation::Validator> validator;
  /// Partners use profiles, extensions and codes that we do not know: that is no fault, and nothing is noted of it. (An
  /// unknown modifierExtension is a fault: what it stands in may mean something else.)
  validation::Options validation = validation::Options::quiet();
  fhir::TypeId legModel = fhir::kNone;
  std::shared_ptr<const letter::Library> templates;
  const letter::PrintProfile* printProfile = nullptr;  // in templates
  std::vector<std::string> fontDirectories;

  const std::shared_ptr<const fhir::Schema>& schema() const { return definitions->schema; }
  const Partner* partner(const std::string& id) const {
    const auto found = partners.find(id);
    return found == partners.end() ? nullptr : &found->second;
  }
};

}  // namespace lotsen::service
