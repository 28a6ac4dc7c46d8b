#include "gateway/app/loader.h"

#include "gateway/app/certificates.h"
#include "gateway/app/files.h"
#include "gateway/app/personalities.h"
#include "gateway/app/shipped.h"
#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"

#include <algorithm>
#include <filesystem>

namespace lotsen::app {

namespace {

namespace fs = std::filesystem;

std::string resolved(const std::string& folder, const std::string& path) {
  return path.empty() || fs::path(path).is_absolute() ? path : (fs::path(folder) / path).lexically_normal().string();
}

// The whole configuration as sections, from the main file and the folders it names.
class Loader {
 public:
  Loader(std::string file, Faults& faults)
      : file_(std::move(file)), folder_(fs::path(file_).parent_path().string()), faults_(faults) {}

  std::optional<Loaded> run() {
    read(file_);
    if (Section* gateway = find("gateway")) {
      for (const auto& name : gateway->all("folder")) readFolder(resolved(folder_, name));
    }
    Loaded loaded;
    auto configuration = std::make_shared<service::Configuration>();
    readGateway(*configuration, loaded.settings);
    readListen(loaded.settings);
    readRetention(loaded.settings.keepFor);
    readPolicy(*configuration);
    Section* gateway = find("gateway");
    const auto mappings = gateway == nullptr ? "" : resolved(folder_, gateway->required("mappings", faults_));
    personalities_ = readPersonalities(mappings, text_, faults_);
    for (auto& section : sections_) readNamed(section, *configuration, loaded.settings);
    checkReferences(*configuration);
    if (gateway != nullptr) {
      const auto templates = resolved(folder_, gateway->required("templates", faults_));
      const auto profile = gateway->optional("print_profile", "c5-h2", faults_);
      for (const auto& fonts : gateway->all("fonts"))
        configuration->fontDirectories.push_back(resolved(folder_, fonts));
      if (configuration->fontDirectories.empty()) configuration->fontDirectories = defaultFontDirectories();
      if (!mappings.empty() && !templates.empty()) {
        readShipped({mappings, templates, profile, packages(*gateway)}, *configuration, text_, faults_);
        if (configuration->messages) checkKinds(*configuration);
      }
    }
    for (const auto& section : sections_) section.refuseUnread(faults_);
    if (faults_.any()) return std::nullopt;
    configuration->loadedAt = SystemClock().now();
    configuration->revision = crypto::sha256Hex(text_).substr(0, 16);
    loaded.configuration = std::move(configuration);
    return loaded;
  }

 private:
  void read(const std::string& file) {
    std::string text;
    if (!readFile(file, text)) {
      faults_.add(file, 0, "cannot be read");
      return;
    }
    text_ += text;
    for (auto& section : parseSections(file, text, faults_)) {
      if (const Section* other = find(section.kind, section.name)) {
        faults_.add(file, section.line, "[" + section.kind + " " + section.name + "] stands already in " + other->file);
      }
      sections_.push_back(std::move(section));
    }
  }

  void readFolder(const std::string& folder) {
    std::error_code failed;
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
      if (entry.path().extension() == ".conf") files.push_back(entry.path().string());
    }
    if (failed) faults_.add(folder, 0, "the folder cannot be read: " + failed.message());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) read(file);
  }

  Section* find(std::string_view kind, std::string_view name = {}) {
    for (auto& section : sections_) {
      if (section.kind == kind && section.name == name) return &section;
    }
    return nullptr;
  }

  Section* needed(std::string_view kind) {
    Section* section = find(kind);
    if (section == nullptr) faults_.add(file_, 0, "a section [" + std::string(kind) + "] is needed");
    return section;
  }

  service::Contact contact(Section& section) {
    service::Contact contact;
    contact.hsaId = section.required("hsa_id", faults_);
    contact.name = section.required("name", faults_);
    contact.endpoint = section.required("endpoint", faults_);
    contact.phone = section.optional("phone", "", faults_);
    contact.addressLines = section.all("address");
    contact.postalCode = section.optional("postal_code", "", faults_);
    contact.city = section.optional("city", "", faults_);
    return contact;
  }

  void readGateway(service::Configuration& configuration, Settings& settings) {
    Section* section = needed("gateway");
    if (section == nullptr) return;
    configuration.gateway = contact(*section);
    configuration.policy.region = section->required("region", faults_);
    configuration.regionName = section->required("region_name", faults_);
    configuration.regionOrganisationNumber = section->required("region_organisation_number", faults_);
    settings.dataFolder = resolved(folder_, section->required("data", faults_));
    settings.workers = static_cast<std::size_t>(section->number("workers", 1, 1, 16, faults_));
  }

  std::vector<std::string> packages(Section& gateway) {
    std::vector<std::string> paths;
    (void)gateway.all("package");
    for (const auto& entry : gateway.entries) {
      if (entry.key != "package") continue;
      const auto path = resolved(folder_, entry.value);
      if (fs::exists(path)) {
        paths.push_back(path);
      } else {
        faults_.add(gateway.file, entry.line, "there is no package " + path);
      }
    }
    return paths;
  }

  void readListen(Settings& settings) {
    Section* section = needed("listen");
    if (section == nullptr) return;
    settings.address = section->optional("address", "127.0.0.1", faults_);
    settings.port = static_cast<std::uint16_t>(section->number("port", 8080, 0, 65535, faults_));
    settings.portFile = resolved(folder_, section->optional("port_file", "", faults_));
    settings.bodyLimit = static_cast<std::size_t>(section->number("body_limit_mb", 20, 1, 100, faults_)) << 20;
    settings.maxConnections = static_cast<std::size_t>(section->number("max_connections", 256, 1, 10'000, faults_));
    readListenTls(*section, resolve_, settings, faults_);
  }

  void readRetention(service::KeepFor& keepFor) {
    Section* section = find("retention");
    if (section == nullptr) return;
    const auto read = [&](std::string_view key, std::optional<milliseconds>& into) {
      const auto value = section->optional(key, "", faults_);
      if (value.empty()) return;
      into = parseDuration(value);
      if (!into && value != "forever")
        faults_.add(section->file, section->line, std::string(key) + " must be a duration such as 3650d, or forever");
    };
    read("records", keepFor.records);
    read("deliveries", keepFor.deliveries);
    read("attempts", keepFor.attempts);
    read("audit", keepFor.audit);
  }

  void readPolicy(service::Configuration& configuration) {
    if (Section* section = find("policy")) {
      configuration.policy.silenceIsConsent = section->flag("silence_is_consent", false, faults_);
      configuration.policy.internalNeedsConsent = section->flag("internal_needs_consent", false, faults_);
      configuration.policy.protectedIdentity = section->choice("protected_identity", "send-without-address",
                                                               {"stop", "send-without-address"}, faults_) == "stop"
                                                   ? transfer::ProtectedIdentity::Stop
                                                   : transfer::ProtectedIdentity::SendWithoutAddress;
      configuration.policy.letters = section->required("letters", faults_);
    } else {
      faults_.add(file_, 0, "a section [policy] is needed");
    }
    if (Section* section = needed("texts")) {
      for (auto& entry : section->entries) {
        entry.read = true;
        configuration.texts.emplace_back(entry.key, entry.value);
      }
    }
  }

  void readNamed(Section& section, service::Configuration& configuration, Settings& settings) {
    if (section.kind == "partner") {
      readPartner(section, configuration, settings);
    } else if (section.kind == "agreement") {
      readAgreement(section, configuration);
    } else if (section.kind == "operator") {
      addTokens(section, section.name, settings);
    } else if (section.kind != "gateway" && section.kind != "listen" && section.kind != "policy" &&
               section.kind != "texts" && section.kind != "retention") {
      faults_.add(section.file, section.line,
                  "unknown section [" + section.kind +
                      "]; known: gateway, listen, policy, retention, texts, partner, agreement, operator");
    }
  }

  void addTokens(Section& section, const std::string& owner, Settings& settings) {
    identity::Permissions permissions;
    for (const auto& word : section.all("permission")) {
      const auto permission = identity::parsePermission(word);
      if (permission.ok()) {
        permissions.add(*permission);
      } else {
        faults_.add(section.file, section.line, permission.error().message);
      }
    }
    for (const auto& token : section.all("token_file"))
      settings.tokens.push_back({owner, resolved(folder_, token), permissions});
    readClientCertificates(section, permissions, settings, faults_);
  }

  void readPartner(Section& section, service::Configuration& configuration, Settings& settings) {
    service::Partner partner;
    partner.id = section.name;
    partner.contact = contact(section);
    partner.local = section.flag("local", false, faults_);
    partner.senders = section.all("sender");
    partner.validateIn = validationRules(section, "validate_in");
    partner.validateOut = validationRules(section, "validate_out");
    addTokens(section, partner.id, settings);

    outbound::Endpoint endpoint;
    endpoint.id = partner.id;
    const auto delivery = section.choice("delivery", "none", {"http", "spool", "none"}, faults_);
    const Way way = delivery == "http" ? Way::Http : delivery == "spool" ? Way::Spool : Way::None;
    partner.personality = personalityOf(section, way, personalities_, faults_);
    const service::Personality& habits = partner.personality;
    if (delivery != "none") {
      partner.endpoint = partner.id;
      queue::Endpoint lane;
      bool trusts = true;
      lane.id = partner.id;
      if (delivery == "http") {
        endpoint.kind = outbound::Endpoint::Kind::Http;
        endpoint.url = section.required("url", faults_);
        endpoint.tokenFile = resolved(folder_, section.optional("send_token_file", "", faults_));
        trusts = readPartnerTls(section, resolve_, endpoint, settings, faults_);
        endpoint.connectTimeout = section.duration("connect_timeout", endpoint.connectTimeout, faults_);
        endpoint.totalTimeout = section.duration("timeout", endpoint.totalTimeout, faults_);
        endpoint.fields = habits.fields;
        endpoint.readBackUrl = section.optional("read_back", "", faults_);
        lane.readBack = !endpoint.readBackUrl.empty();
        lane.readBackAfter = section.duration("read_back_after", lane.readBackAfter, faults_);
      } else {
        endpoint.kind = outbound::Endpoint::Kind::Spool;
        endpoint.folder = resolved(folder_, section.required("spool", faults_));
      }
      lane.idempotent = habits.idempotent;
      // libcurl's own repeat on a connection that has died would be one more than a limit of resends allows.
      endpoint.idempotent = habits.idempotent && !habits.resends;
      lane.resends = habits.resends;
      lane.resendWithin = habits.resendWithin;
      lane.maxInFlight = static_cast<std::size_t>(section.number("max_in_flight", 4, 1, 64, faults_));
      lane.leaseTime = endpoint.totalTimeout + std::chrono::seconds(30);
      lane.acknowledgeWithin = habits.acknowledgeWithin;
      lane.slowAfter = section.duration("slow_after", lane.slowAfter, faults_);
      lane.backoffBase = habits.retryFirst;
      lane.backoffCap = habits.retryLongest;
      const auto sound = outbound::checkEndpoint(endpoint);
      if (trusts && !sound.ok()) faults_.add(section.file, section.line, sound.error().message);
      settings.endpoints.push_back(std::move(endpoint));
      settings.lanes.push_back(std::move(lane));
    }
    if (partner.id.empty()) faults_.add(section.file, section.line, "a partner needs a name: [partner NAME]");
    configuration.partners[partner.id] = std::move(partner);
  }

  /// "validate_in = warn" for all kinds, "validate_in KIND = off" for one.
  service::ValidationRules validationRules(Section& section, std::string_view key) {
    service::ValidationRules rules;
    for (const auto& entry : section.choices(key, {"refuse", "warn", "off"}, faults_)) {
      const auto strictness = entry.value == "off"    ? service::Strictness::Off
                              : entry.value == "warn" ? service::Strictness::Warn
                                                      : service::Strictness::Refuse;
      if (entry.key.empty()) {
        rules.otherwise = strictness;
      } else {
        rules.kinds[entry.key] = strictness;
        kinds_.push_back({section.file, entry.line, entry.key, key == "validate_in"});
      }
    }
    return rules;
  }

  /// A rule for a kind that does not exist would never hold.
  void checkKinds(const service::Configuration& configuration) {
    std::vector<std::string_view> events;
    for (const auto& kind : configuration.messages->all()) events.push_back(kind.event);
    std::vector<std::string_view> outgoing = events, incoming = events;
    for (const auto role : {store::Role::PatientLetter, store::Role::ClinicianLetter})
      outgoing.push_back(store::name(role));
    incoming.push_back(service::kAcknowledgementKind);
    for (const auto& [id, channel] : configuration.channels) incoming.push_back(id);
    for (const auto& used : kinds_) {
      const auto& known = used.incoming ? incoming : outgoing;
      if (std::find(known.begin(), known.end(), used.kind) != known.end()) continue;
      const auto near = nearest(used.kind, known);
      faults_.add(used.file, used.line,
                  used.kind + (used.incoming ? " is neither a channel nor" : " is neither a letter nor") +
                      " the event of a MessageDefinition that is known here" +
                      (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
    }
  }

  void readAgreement(Section& section, service::Configuration& configuration) {
    transfer::Agreement agreement;
    agreement.id = section.name;
    const auto kind = section.choice("kind", "", {"internal", "own-region", "other-region"}, faults_);
    if (kind.empty())
      faults_.add(section.file, section.line,
                  "[agreement " + section.name + "] needs kind = internal | own-region | other-region");
    agreement.kind = kind == "internal"     ? transfer::AgreementKind::Internal
                     : kind == "own-region" ? transfer::AgreementKind::OwnRegion
                                            : transfer::AgreementKind::OtherRegion;
    agreement.provider = section.required("provider", faults_);
    agreement.providerHsaId = section.required("provider_hsa_id", faults_);
    if (agreement.kind == transfer::AgreementKind::OtherRegion)
      agreement.mediator = section.required("mediator", faults_);
    agreement.ownerRegion = section.optional("owner_region", configuration.policy.region, faults_);
    agreement.documentsRequired = section.flag("documents_required", true, faults_);
    agreement.mediatorGetsDocuments = section.flag("mediator_gets_documents", false, faults_);
    agreement.copyToProvider = section.flag("copy_to_provider", true, faults_);
    agreement.privateProvider = section.flag("private_provider", false, faults_);
    const auto from = section.optional("valid_from", "", faults_), until = section.optional("valid_until", "", faults_);
    if (!from.empty() || !until.empty()) {
      const auto first = sweden::parseCivilDate(from), last = sweden::parseCivilDate(until);
      if (first.ok() && last.ok() && *first <= *last) {
        agreement.valid = sweden::CivilPeriod{*first, *last};
      } else {
        faults_.add(section.file, section.line,
                    "valid_from and valid_until must both be dates (2026-04-01), in that order");
      }
    }
    agreementLines_[agreement.id] = {section.file, section.line, {}};
    configuration.agreements[agreement.id] = std::move(agreement);
  }

  void checkReferences(const service::Configuration& configuration) {
    const auto mustExist = [&](const std::string& partner, const std::string& file, int line, std::string_view role) {
      if (!partner.empty() && configuration.partner(partner) == nullptr) {
        std::vector<std::string_view> names;
        names.reserve(configuration.partners.size());
        for (const auto& [id, known] : configuration.partners) names.push_back(id);
        const auto near = nearest(partner, names);
        faults_.add(file, line,
                    std::string(role) + " names the partner " + partner + ", which is not configured" +
                        (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
      }
    };
    for (const auto& [id, agreement] : configuration.agreements) {
      const auto& place = agreementLines_[id];
      mustExist(agreement.provider, place.file, place.line, "provider");
      mustExist(agreement.mediator, place.file, place.line, "mediator");
    }
    mustExist(configuration.policy.letters, file_, 0, "[policy] letters");
  }

  const std::string file_, folder_;
  const Resolve resolve_ = [this](const std::string& path) { return resolved(folder_, path); };
  Faults& faults_;
  std::vector<Section> sections_;
  Personalities personalities_;
  std::map<std::string, Fault> agreementLines_;
  struct UsedKind {
    std::string file;
    int line = 0;
    std::string kind;
    bool incoming = false;
  };
  std::vector<UsedKind> kinds_;  // that rules of validation name
  std::string text_;             // everything that was read, for the revision
};

}  // namespace

std::optional<Loaded> load(const std::string& file, Faults& faults) {
  return Loader(file, faults).run();
}

}  // namespace lotsen::app
