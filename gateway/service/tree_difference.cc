#include "gateway/service/tree_difference.h"

#include "gateway/base/random.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace lotsen::service {

namespace {

using fhir::Document;
using fhir::Element;

constexpr std::size_t kUuid = 36;

/// Calls found(at) for every UUID in the text.
template <typename Found>
void eachUuid(std::string_view text, const Found& found) {
  for (auto dash = text.find('-'); dash != std::string_view::npos; dash = text.find('-', dash + 1)) {
    if (dash < 8 || dash - 8 + kUuid > text.size() || !isUuid(text.substr(dash - 8, kUuid))) continue;
    found(dash - 8);
    dash += kUuid - 9;
  }
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t with) {
  hash ^= with + 0x9e3779b97f4a7c15ULL + (hash << 6) + (hash >> 2);
  hash *= 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 32);
}

/// All elements of one name under a parent: a list, or one.
using Run = std::vector<const Element*>;

/// One result, with what the comparison must know of it.
class Side {
 public:
  Side(const Document& document, const Comparing& comparing) : document_(document), comparing_(comparing) {}

  const Document& document() const { return document_; }
  std::string_view name(const Element& node) const { return document_.nameText(node.name); }
  std::string_view typeName(const Element& node) const {
    const auto& schema = document_.schema();
    return node.type == fhir::kNone ? std::string_view() : schema.nameText(schema.type(node.type).name);
  }
  bool repeats(const Element& node) const {
    return node.def == fhir::kNone || document_.schema().def(node.def).max != 1;
  }

  /// Where ids that a map made stand in a value.
  std::vector<std::size_t> madeIds(std::string_view value) const {
    std::vector<std::size_t> at;
    eachUuid(value, [&](std::size_t start) {
      const auto id = value.substr(start, kUuid);
      if (id[14] == '5' && comparing_.given.find(std::string(id)) == comparing_.given.end()) at.push_back(start);
    });
    return at;
  }

  /// Of the content, without the ids that a map made and without the order of differently named members.
  std::uint64_t digest(const Element& node) {
    if (const auto known = digests_.find(&node); known != digests_.end()) return known->second;
    std::uint64_t hash = mix(node.type, node.hasValue() ? digestOf(node.value()) : 1);
    std::uint64_t members = 0;
    for (const Element* first = node.first; first != nullptr;) {
      std::uint64_t run = std::hash<std::string_view>()(name(*first));
      const Element* last = first->runLast;
      for (const Element* each = first; each != last->next; each = each->next) run = mix(run, digest(*each));
      members += run;
      first = last->next;
    }
    hash = mix(hash, members);
    digests_.emplace(&node, hash);
    return hash;
  }

  /// What an item of a list is, so that a changed one meets its old self.
  std::string identity(const Element& node) const {
    std::string text(typeName(node));
    if (const Element* resource = fhir::child(document_, &node, "resource")) text += typeName(*resource);
    for (const std::string_view key : {"url", "system"})
      text += '|' + std::string(fhir::valueAt(document_, &node, key));
    return text;
  }

  /// One step of a path: ".name", ".extension('url')", ".value.ofType(string)".
  std::string step(const Element& node) const {
    const auto own = name(node);
    std::string text = "." + std::string(own);
    if (own == "extension" || own == "modifierExtension") {
      const auto url = fhir::valueAt(document_, &node, "url");
      if (!url.empty() && comparing_.mayShow(url)) text += "('" + std::string(url) + "')";
    }
    const bool choice = node.def != fhir::kNone && document_.schema().def(node.def).choice;
    if (node.type != fhir::kNone && (node.isResource || choice)) text += ".ofType(" + std::string(typeName(node)) + ")";
    return text;
  }

  std::map<std::string_view, Run> runs(const Element& parent) const {
    std::map<std::string_view, Run> found;
    for (const Element* each = parent.first; each != nullptr; each = each->next) found[name(*each)].push_back(each);
    return found;
  }

 private:
  std::uint64_t digestOf(std::string_view value) const {
    std::uint64_t hash = 0;
    std::size_t from = 0;
    for (const auto at : madeIds(value)) {
      hash = mix(hash, std::hash<std::string_view>()(value.substr(from, at - from)));
      from = at + kUuid;
    }
    return mix(hash, std::hash<std::string_view>()(value.substr(from)));
  }

  const Document& document_;
  const Comparing& comparing_;
  std::unordered_map<const Element*, std::uint64_t> digests_;
};

class Comparison {
 public:
  Comparison(const Document& before, const Document& after, const Comparing& comparing)
      : before_(before, comparing), after_(after, comparing) {}

  std::vector<Difference> run() {
    const Element* before = before_.document().root();
    const Element* after = after_.document().root();
    path_ = before_.name(*before);
    if (before->type == after->type) {
      compare(*before, *after);
    } else {
      tell(Change::Value);
    }
    return std::move(differences_);
  }

 private:
  using Pair = std::pair<const Element*, const Element*>;

  void tell(Change change) { differences_.push_back({change, path_}); }

  /// Tells that a whole element came or went; an entry by the resource in it.
  void tell(Change change, const Side& side, const Element& node) {
    const auto length = path_.size();
    path_ += side.step(node);
    const Element* resource = fhir::child(side.document(), &node, "resource");
    if (resource != nullptr && resource->isResource) path_ += side.step(*resource);
    tell(change);
    path_.resize(length);
  }

  void compare(const Element& before, const Element& after) {
    if (!sameValue(before, after)) tell(Change::Value);
    if (before.first == nullptr && after.first == nullptr) return;
    auto left = before_.runs(before), right = after_.runs(after);
    // In the order of the old result, then what only the new one has.
    for (const Element* each = before.first; each != nullptr; each = each->runLast->next) {
      const auto name = before_.name(*each);
      compare(left[name], right[name]);
      right.erase(name);
    }
    for (const auto& [name, run] : right) compare({}, run);
  }

  void compare(const Run& before, const Run& after) {
    std::vector<Pair> pairs = pair(before, after);
    for (const auto& [left, right] : pairs) bindEntry(*left, *right);
    std::unordered_set<const Element*> met;
    for (const auto& [left, right] : pairs) {
      met.insert(left);
      met.insert(right);
    }
    if (inOtherOrder(pairs, after)) {
      const auto length = path_.size();
      path_ += '.' + std::string(before_.name(*before.front()));
      tell(Change::Order);
      path_.resize(length);
    }
    for (const auto& [left, right] : pairs) {
      const auto length = path_.size();
      path_ += before_.step(*left);
      compare(*left, *right);
      path_.resize(length);
    }
    for (const Element* each : before) {
      if (met.find(each) == met.end()) tell(Change::Removed, before_, *each);
    }
    for (const Element* each : after) {
      if (met.find(each) == met.end()) tell(Change::Added, after_, *each);
    }
  }

  /// Items that belong together, in the order of `before`.
  std::vector<Pair> pair(Run before, Run after) {
    std::vector<Pair> pairs;
    if (before.size() == 1 && after.size() == 1 && !before_.repeats(*before[0])) {
      if (before[0]->type == after[0]->type) pairs.emplace_back(before[0], after[0]);
      return pairs;
    }
    const Run all = before;
    match(before, after, pairs, [](Side& side, const Element& node) { return side.digest(node); });
    match(before, after, pairs, [](Side& side, const Element& node) { return side.identity(node); });
    // What is left of a list of plain things is what it was with another system, a code that was corrected …
    match(before, after, pairs, [](Side& side, const Element& node) {
      const auto name = side.name(node);
      const bool named = name == "entry" || name == "extension" || name == "modifierExtension" || name == "contained";
      return named ? side.identity(node) : std::string(side.typeName(node));
    });
    std::unordered_map<const Element*, std::size_t> place;
    for (std::size_t i = 0; i < all.size(); ++i) place[all[i]] = i;
    std::sort(pairs.begin(), pairs.end(),
              [&](const Pair& a, const Pair& b) { return place[a.first] < place[b.first]; });
    return pairs;
  }

  /// Moves what has the same key, first come first served, from the two lists to `pairs`.
  template <typename Key>
  void match(Run& before, Run& after, std::vector<Pair>& pairs, const Key& key) {
    if (before.empty() || after.empty()) return;
    std::unordered_map<decltype(key(after_, *after[0])), std::vector<std::size_t>> places;
    for (std::size_t i = after.size(); i-- > 0;) places[key(after_, *after[i])].push_back(i);
    const auto meets = [&](const Element* node) {
      const auto found = places.find(key(before_, *node));
      if (found == places.end() || found->second.empty()) return false;
      const Element*& partner = after[found->second.back()];
      found->second.pop_back();
      pairs.emplace_back(node, partner);
      partner = nullptr;
      return true;
    };
    before.erase(std::remove_if(before.begin(), before.end(), meets), before.end());
    after.erase(std::remove(after.begin(), after.end(), nullptr), after.end());
  }

  static bool inOtherOrder(const std::vector<Pair>& pairs, const Run& after) {
    if (pairs.size() < 2) return false;
    std::unordered_map<const Element*, std::size_t> place;
    for (std::size_t i = 0; i < after.size(); ++i) place[after[i]] = i;
    return !std::is_sorted(pairs.begin(), pairs.end(),
                           [&](const Pair& a, const Pair& b) { return place[a.second] < place[b.second]; });
  }

  /// The ids of two entries that belong together are one id, before anybody looks at the references to them.
  void bindEntry(const Element& before, const Element& after) {
    if (before_.name(before) != "entry") return;
    for (const std::string_view path : {"fullUrl", "resource.id"}) {
      const auto left = fhir::valueAt(before_.document(), &before, path);
      const auto right = fhir::valueAt(after_.document(), &after, path);
      const auto leftIds = before_.madeIds(left), rightIds = after_.madeIds(right);
      if (leftIds.size() == 1 && rightIds.size() == 1)
        bind(left.substr(leftIds[0], kUuid), right.substr(rightIds[0], kUuid));
    }
  }

  /// True if the two are one id: neither has stood for another one yet.
  bool bind(std::string_view before, std::string_view after) {
    const auto [forth, isNew] = forth_.try_emplace(std::string(before), after);
    if (!isNew) return forth->second == after;
    const auto [back, alone] = back_.try_emplace(std::string(after), before);
    if (alone) return true;
    forth_.erase(forth);
    return false;
  }

  bool sameValue(const Element& before, const Element& after) {
    if (before.hasValue() != after.hasValue()) return false;
    const auto left = before.value(), right = after.value();
    const auto leftIds = before_.madeIds(left), rightIds = after_.madeIds(right);
    if (leftIds.size() != rightIds.size()) return false;
    std::size_t leftFrom = 0, rightFrom = 0;
    bool same = true;
    for (std::size_t i = 0; i < leftIds.size(); ++i) {
      same = same && left.substr(leftFrom, leftIds[i] - leftFrom) == right.substr(rightFrom, rightIds[i] - rightFrom) &&
             bind(left.substr(leftIds[i], kUuid), right.substr(rightIds[i], kUuid));
      leftFrom = leftIds[i] + kUuid;
      rightFrom = rightIds[i] + kUuid;
    }
    return same && left.substr(leftFrom) == right.substr(rightFrom);
  }

  Side before_, after_;
  std::string path_;
  std::vector<Difference> differences_;
  std::unordered_map<std::string, std::string> forth_, back_;  // ids that stand for each other
};

}  // namespace

std::unordered_set<std::string> uuidsIn(std::string_view text) {
  std::unordered_set<std::string> found;
  eachUuid(text, [&](std::size_t at) { found.emplace(text.substr(at, kUuid)); });
  return found;
}

std::vector<Difference> differences(const Document& before, const Document& after, const Comparing& comparing) {
  return Comparison(before, after, comparing).run();
}

std::string_view name(Change change) {
  switch (change) {
    case Change::Value: return "value-changed";
    case Change::Added: return "added";
    case Change::Removed: return "removed";
    case Change::Order: return "order-changed";
  }
  return "";
}

std::string withoutIndexes(std::string_view path) {
  std::string plain;
  bool inIndex = false;
  for (const char c : path) {
    if (c == '[') inIndex = true;
    if (!inIndex) plain += c;
    if (c == ']') inIndex = false;
  }
  return plain;
}

}  // namespace lotsen::service
