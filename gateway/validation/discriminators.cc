#include "gateway/validation/discriminators.h"

#include "gateway/fhir/r4/types.h"

#include <algorithm>

namespace lotsen::validation {

using definitions::AllowedType;
using definitions::DiscriminatorType;
using definitions::kNoRow;
using definitions::Profile;
using definitions::ProfileElement;

Result<Path> parsePath(std::string_view text, const fhir::Schema& schema) {
  Path path;
  while (!text.empty()) {
    // A step ends at the next point that is not in brackets.
    std::size_t end = 0;
    for (int depth = 0; end < text.size() && (text[end] != '.' || depth > 0); ++end) {
      depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
    }
    const std::string_view step = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (step == "$this") continue;
    const auto open = step.find('(');
    if (open == std::string_view::npos) {
      path.push_back({Step::Kind::Child, schema.findName(step), fhir::kNone, {}});
      continue;
    }
    const std::string_view name = step.substr(0, open);
    std::string_view inside = step.substr(open + 1, step.size() - open - 2);
    if (name == "resolve") {
      path.push_back({Step::Kind::Resolve, fhir::kNone, fhir::kNone, {}});
    } else if (name == "ofType" || name == "as") {
      path.push_back({Step::Kind::OfType, fhir::kNone, schema.findType(inside), {}});
    } else if (name == "extension" && inside.size() > 2) {
      inside = inside.substr(1, inside.size() - 2);
      path.push_back({Step::Kind::Extension, fhir::kNone, fhir::kNone, std::string(inside)});
    } else {
      return fail(Code::Invalid, "\"" + std::string(step) + "\" may not stand in the path of a discriminator");
    }
  }
  return path;
}

namespace {

/// A row of any profile.
struct At {
  const Profile* profile = nullptr;
  RowId row = 0;
  const ProfileElement& element() const { return (*profile)[row]; }
};

class Finder {
 public:
  explicit Finder(const definitions::Definitions& definitions)
      : definitions_(definitions), extension_(definitions.schema->findName("extension")) {}

  std::vector<At> walk(At from, const Path& path) const {
    std::vector<At> found{from};
    for (const Step& step : path) {
      std::vector<At> next;
      for (const At& at : found) take(at, step, next);
      found = std::move(next);
    }
    return found;
  }

  /// What the types of a row ask for: the roots of profiles, or elements of them.
  template <typename Visit>
  void eachProfile(const ProfileElement& row, const Visit& visit) const {
    for (const AllowedType& type : row.types) {
      for (const std::string_view canonical : type.profiles) {
        const definitions::ProfilePart part = definitions_.profiles->part(canonical);
        if (part.profile != nullptr) visit(At{part.profile, part.row});
      }
    }
  }

 private:
  void take(const At& at, const Step& step, std::vector<At>& out) const {
    switch (step.kind) {
      case Step::Kind::Child: return children(at, step.name, out);
      case Step::Kind::Extension: return extensions(at, step.url, out);
      case Step::Kind::OfType: return typed(at, step.type, out);
      case Step::Kind::Resolve: out.push_back(at); return;  // the targets stand in the row's types
    }
  }

  void children(const At& at, fhir::NameId name, std::vector<At>& out) const {
    if (const RowId row = at.profile->child(at.row, name); row != kNoRow) {
      out.push_back({at.profile, row});
      // What a slice must have, some element has: code.coding.code of a coding that is sliced itself.
      for (RowId slice = (*at.profile)[row].firstSlice; slice != kNoRow; slice = (*at.profile)[slice].nextSlice) {
        if ((*at.profile)[slice].min > 0) out.push_back({at.profile, slice});
      }
    }
    if (const RowId whole = at.element().unsliced; whole != kNoRow) children({at.profile, whole}, name, out);
    eachProfile(at.element(), [&](const At& asked) {
      if (const RowId row = asked.profile->child(asked.row, name); row != kNoRow) out.push_back({asked.profile, row});
    });
  }

  void extensions(const At& at, std::string_view url, std::vector<At>& out) const {
    std::vector<At> all;
    children(at, extension_, all);
    for (const At& row : all) {
      for (RowId slice = row.element().firstSlice; slice != kNoRow; slice = (*row.profile)[slice].nextSlice) {
        for (const AllowedType& type : (*row.profile)[slice].types) {
          if (std::find(type.profiles.begin(), type.profiles.end(), url) == type.profiles.end()) continue;
          out.push_back({row.profile, slice});
          if (const Profile* profile = definitions_.profiles->find(url)) out.push_back({profile, 0});
          return;
        }
      }
    }
    if (const Profile* profile = definitions_.profiles->find(url)) out.push_back({profile, 0});
  }

  /// The slices of a choice by type, and the row itself.
  void typed(const At& at, fhir::TypeId type, std::vector<At>& out) const {
    for (RowId slice = at.element().firstSlice; slice != kNoRow; slice = (*at.profile)[slice].nextSlice) {
      const auto& types = (*at.profile)[slice].types;
      if (types.size() == 1 && types[0].type == type) out.push_back({at.profile, slice});
    }
    out.push_back(at);
  }

  const definitions::Definitions& definitions_;
  fhir::NameId extension_;
};

class Maker {
 public:
  Maker(const Profile& profile, RowId row, const definitions::Definitions& definitions)
      : profile_(profile), row_(row), definitions_(definitions), finder_(definitions) {}

  std::vector<Condition> make() {
    const ProfileElement& slice = profile_[row_];
    if (slice.unsliced == kNoRow) return {};
    if (const definitions::Slicing* slicing = profile_[slice.unsliced].slicing; slicing != nullptr) {
      for (const definitions::Discriminator& discriminator : slicing->discriminators) {
        auto path = parsePath(discriminator.path, *definitions_.schema);
        if (path.ok()) make(discriminator.type, *path);
      }
    }
    // valueQuantity of value[x] needs no discriminator.
    if (conditions_.empty() && definitions_.schema->def(slice.def).choice) types({{&profile_, row_}}, {}, false);
    return std::move(conditions_);
  }

 private:
  void make(DiscriminatorType type, const Path& path) {
    const std::vector<At> rows = finder_.walk({&profile_, row_}, path);
    const bool resolves = !path.empty() && path.back().kind == Step::Kind::Resolve;
    switch (type) {
      case DiscriminatorType::Value:
      case DiscriminatorType::Pattern: return value(rows, path);
      case DiscriminatorType::Exists: return exists(rows, path);
      case DiscriminatorType::Type: return types(rows, path, resolves);
      case DiscriminatorType::Profile: return profiles(rows, path, resolves);
    }
  }

  void value(const std::vector<At>& rows, const Path& path) {
    for (const At& at : rows) {
      if (own(at.element(), path)) return;
    }
    // A URL of an extension whose definition is not known here.
    if (path.size() == 1 && path[0].kind == Step::Kind::Child && path[0].name == definitions_.schema->findName("url")) {
      for (const AllowedType& allowed : profile_[row_].types) {
        if (allowed.type != fhir::r4::kExtension || allowed.profiles.empty()) continue;
        const std::string_view url = allowed.profiles[0];
        conditions_.push_back({Condition::Kind::Text, path, nullptr, url.substr(0, url.find('|')), {}, {}});
        return;
      }
    }
    for (const At& at : rows) {
      if (below(at, path)) return;
    }
    for (const At& at : rows) {
      const ProfileElement& row = at.element();
      if (row.strength == fhir::Strength::Required && !row.valueSet.empty() && row.tightened) {
        conditions_.push_back({Condition::Kind::ValueSet, path, nullptr, row.valueSet, {}, {}});
        return;
      }
    }
    exists(rows, path);
  }

  bool own(const ProfileElement& row, const Path& path) {
    if (row.fixed != nullptr) {
      conditions_.push_back({Condition::Kind::Fixed, path, row.fixed, {}, {}, {}});
    } else if (row.pattern != nullptr) {
      conditions_.push_back({Condition::Kind::Pattern, path, row.pattern, {}, {}, {}});
    } else {
      return false;
    }
    return true;
  }

  /// Fixed values and patterns of the rows below, such as code.coding.code below a discriminator "code".
  bool below(const At& at, const Path& path) {
    bool found = false;
    const ProfileElement& root = at.element();
    for (RowId row = at.row + 1; row < root.end; ++row) {
      const ProfileElement& element = (*at.profile)[row];
      if (!element.sliceName.empty() || (element.fixed == nullptr && element.pattern == nullptr)) continue;
      Path longer = path;
      const std::size_t start = longer.size();
      bool plain = true;
      for (RowId up = row; up != at.row; up = (*at.profile)[up].parent) {
        plain = plain && (*at.profile)[up].sliceName.empty();
        longer.push_back({Step::Kind::Child, (*at.profile)[up].name, fhir::kNone, {}});
      }
      if (!plain) continue;
      std::reverse(longer.begin() + static_cast<std::ptrdiff_t>(start), longer.end());
      found = own(element, longer) || found;
    }
    return found;
  }

  void exists(const std::vector<At>& rows, const Path& path) {
    if (path.empty()) return;
    for (const At& at : rows) {
      if (at.element().max == 0) {
        conditions_.push_back({Condition::Kind::Absent, path, nullptr, {}, {}, {}});
        return;
      }
    }
    for (const At& at : rows) {
      if (at.element().min > 0) {
        conditions_.push_back({Condition::Kind::Exists, path, nullptr, {}, {}, {}});
        return;
      }
    }
  }

  void types(const std::vector<At>& rows, const Path& path, bool resolves) {
    for (const At& at : rows) {
      Condition condition{Condition::Kind::Type, path, nullptr, {}, {}, {}};
      // contentString says which type of content[x] is meant.
      for (RowId slice = at.element().firstSlice; slice != kNoRow; slice = (*at.profile)[slice].nextSlice) {
        if (definitions_.schema->def(at.element().def).choice)
          addTypes((*at.profile)[slice], resolves, condition.types);
      }
      if (condition.types.empty()) addTypes(at.element(), resolves, condition.types);
      if (at.row == 0) condition.types.push_back(at.profile->type());
      std::erase(condition.types, fhir::kNone);
      if (condition.types.empty()) continue;
      conditions_.push_back(std::move(condition));
      return;
    }
  }

  void addTypes(const ProfileElement& row, bool resolves, std::vector<fhir::TypeId>& types) const {
    for (const AllowedType& allowed : row.types) {
      if (!resolves) {
        // A Resource with the profile ".../StructureDefinition/Patient" is a Patient.
        const std::size_t before = types.size();
        for (const std::string_view profile : allowed.profiles) types.push_back(definitions_.schema->findType(profile));
        std::erase(types, fhir::kNone);
        if (types.size() == before) types.push_back(allowed.type);
        continue;
      }
      for (const std::string_view target : allowed.targets) types.push_back(typeOf(target));
    }
  }

  fhir::TypeId typeOf(std::string_view canonical) const {
    if (const fhir::TypeId type = definitions_.schema->findType(canonical); type != fhir::kNone) return type;
    const Profile* profile = definitions_.profiles->find(canonical);
    return profile == nullptr ? fhir::kNone : profile->type();
  }

  void profiles(const std::vector<At>& rows, const Path& path, bool resolves) {
    Condition condition{Condition::Kind::Profile, path, nullptr, {}, {}, {}};
    for (const At& at : rows) {
      for (const AllowedType& allowed : at.element().types) {
        const auto& wanted = resolves ? allowed.targets : allowed.profiles;
        condition.profiles.insert(condition.profiles.end(), wanted.begin(), wanted.end());
      }
    }
    if (!condition.profiles.empty()) conditions_.push_back(std::move(condition));
  }

  const Profile& profile_;
  const RowId row_;
  const definitions::Definitions& definitions_;
  const Finder finder_;
  std::vector<Condition> conditions_;
};

}  // namespace

std::vector<Condition> conditionsOf(const Profile& profile, RowId row, const definitions::Definitions& definitions) {
  return Maker(profile, row, definitions).make();
}

}  // namespace lotsen::validation
