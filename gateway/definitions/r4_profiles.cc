#include "gateway/definitions/r4_profiles.h"

#include "gateway/definitions/profile_loader.h"
#include "gateway/fhir/forms.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <ranges>

namespace lotsen::definitions {

namespace {

// One literal of 448 kB, as with the strings of gateway/fhir/r4_tables.cc.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
constexpr char kTexts[] = {
#include "gateway/definitions/r4/profiles.inc"
};
#pragma GCC diagnostic pop
constexpr std::uint32_t kOffsets[] = {
#include "gateway/definitions/r4/profile_offsets.inc"
};
constexpr std::string_view kBeforeUrl = R"({"resourceType":"StructureDefinition","url":")";

constexpr std::size_t kNotThere = static_cast<std::size_t>(-1);

std::size_t placeOf(std::string_view url) {
  const auto places = std::views::iota(std::size_t{0}, R4Profiles::count());
  const auto at = std::ranges::lower_bound(places, url, {}, &R4Profiles::url);
  return at != places.end() && R4Profiles::url(*at) == url ? *at : kNotThere;
}

}  // namespace

R4Profiles::R4Profiles() : entries_(count()) {}
R4Profiles::~R4Profiles() = default;

std::size_t R4Profiles::count() {
  return std::size(kOffsets) - 1;
}

std::string_view R4Profiles::text(std::size_t at) {
  return {kTexts + kOffsets[at], kOffsets[at + 1] - kOffsets[at]};
}

std::string_view R4Profiles::url(std::size_t at) {
  const std::string_view rest = text(at).substr(kBeforeUrl.size());
  return rest.substr(0, rest.find('"'));
}

const Profile* R4Profiles::find(std::string_view url) const {
  const std::size_t at = placeOf(url);
  if (at == kNotThere) return nullptr;
  if (const Profile* ready = entries_[at].ready.load(std::memory_order_acquire); ready != nullptr) return ready;
  const std::lock_guard lock(mutex_);
  return make(url);
}

const Profile* R4Profiles::make(std::string_view url) const {
  const std::size_t at = placeOf(url.substr(0, url.find('|')));
  if (at == kNotThere) return nullptr;
  Entry& entry = entries_[at];
  if (entry.begun) return entry.ready.load(std::memory_order_relaxed);  // nullptr: where a circle closes
  entry.begun = true;
  fhir::Issues issues;  // R4's own definitions have no faults that a caller could do something about; a test says so
  auto document = fhir::readJson(text(at), fhir::Schema::r4(), {}, issues);
  if (!document) return nullptr;
  entry.document = std::make_unique<const fhir::Document>(std::move(*document));
  const Origin origin{std::string(url), entry.document.get()};
  const Lookup lookup = [this](std::string_view canonical) { return make(canonical); };
  entry.profile = makeProfile(origin, *fhir::Schema::r4(), lookup, issues);
  entry.ready.store(entry.profile.get(), std::memory_order_release);
  return entry.profile.get();
}

}  // namespace lotsen::definitions
