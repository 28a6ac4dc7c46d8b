#include "gateway/definitions/profile_loader.h"

#include "gateway/definitions/profile_storage.h"
#include "gateway/definitions/profile_writer.h"

namespace lotsen::definitions {

using fhir::child;
using fhir::valueAt;

void ProfileLoader::add(std::string file, std::shared_ptr<const fhir::Document> document) {
  const fhir::Document& kept = *document;
  Entry& entry = entries_.emplace_back();
  entry.document = std::move(document);
  entry.origin = {std::move(file), &kept};
  byUrl_.add(valueAt(kept, kept.root(), "url"), valueAt(kept, kept.root(), "version"), &entry);
}

std::shared_ptr<const Profiles> ProfileLoader::finish() && {
  auto state = std::make_unique<Profiles::State>();
  state->base = Profiles::r4();
  state->schema = schema_;
  for (Entry& entry : entries_) make(entry);
  for (Entry& entry : entries_) {
    if (!entry.profile) continue;
    state->byUrl.add(entry.profile->url(), entry.profile->version(), entry.profile.get());
    state->added.push_back(entry.profile->url());
    state->profiles.push_back(std::move(entry.profile));
    state->documents.push_back(std::move(entry.document));
  }
  return std::shared_ptr<const Profiles>(new Profiles(std::move(state)));
}

/// A circle of definitions finds nothing where it closes.
const Profile* ProfileLoader::find(std::string_view canonical) {
  if (Entry* entry = byUrl_.find(canonical); entry != nullptr) return make(*entry);
  return Profiles::r4()->find(canonical);
}

const Profile* ProfileLoader::make(Entry& entry) {
  if (entry.begun) return entry.profile.get();
  entry.begun = true;
  const Lookup lookup = [this](std::string_view canonical) { return find(canonical); };
  entry.profile = makeProfile(entry.origin, *schema_, lookup, issues_);
  return entry.profile.get();
}

std::unique_ptr<const Profile> makeProfile(const Origin& origin, const fhir::Schema& schema, const Lookup& lookup,
                                           fhir::Issues& issues) {
  ProfileWriter writer(schema);
  const fhir::Document& document = *origin.document;
  const SnapshotContext context{origin, valueAt(document, document.root(), "url"), schema, lookup, writer.texts(),
                                issues};
  const bool brought = child(document, document.root(), "snapshot") != nullptr;
  const Snapshot snapshot = brought ? readSnapshot(context) : makeSnapshot(context);
  if (snapshot.root == nullptr) return nullptr;
  return writer.write({&document, snapshot.type}, *snapshot.root);
}

}  // namespace lotsen::definitions
