#include "gateway/xml/reader.h"

#include "gateway/base/text.h"

#include <expat.h>

#include <algorithm>
#include <climits>
#include <memory>
#include <vector>

namespace lotsen::xml {

namespace {

constexpr std::size_t kMostAttributes = 256;  // of one element
constexpr std::size_t kMostSpaces = 256;      // declared around one element: each name is looked up among them

Place placeOf(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const auto start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<std::uint32_t>(lines + 1), static_cast<std::uint32_t>(offset - start + 1)};
}

bool startsWith(std::string_view text, std::size_t at, std::string_view what) {
  return text.substr(at, what.size()) == what;
}

/// What the XML declaration says for `what` (version, encoding); empty if it says nothing.
std::string_view declared(std::string_view declaration, std::string_view what) {
  const auto name = declaration.find(what);
  const auto open = name == std::string_view::npos ? name : declaration.find_first_of("\"'", name);
  if (open == std::string_view::npos) return {};
  const auto close = declaration.find(declaration[open], open + 1);
  return close == std::string_view::npos ? std::string_view{} : declaration.substr(open + 1, close - open - 1);
}

bool isBlank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::optional<Fault> checkDeclaration(std::string_view declaration) {
  if (const auto version = declared(declaration, "version"); !version.empty() && version != "1.0")
    return Fault{Code::Invalid, "xml-version", "only XML 1.0 is read", {}};
  if (const auto encoding = declared(declaration, "encoding"); encoding.empty() || equalsIgnoreCase(encoding, "utf-8"))
    return std::nullopt;
  return Fault{Code::Invalid, "xml-encoding", "another encoding than UTF-8 is declared; convert it to UTF-8", {}};
}

/// UTF-16 and UTF-32 are told apart from broken UTF-8 by their first bytes.
bool isWide(std::string_view text) {
  return text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") || text.starts_with(std::string_view("<\0", 2)) ||
         text.starts_with(std::string_view("\0", 1));
}

/// What may stand before the root element: a declaration, comments, instructions; a DOCTYPE can stand nowhere else.
std::optional<Fault> checkProlog(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (startsWith(text, at, "<?")) {
      const auto end = text.find("?>", at);
      if (end == std::string_view::npos) return std::nullopt;  // expat says so
      const bool declaration = text.substr(at + 2, 3) == "xml" && isBlank(text[at + 5]);
      if (auto fault = declaration ? checkDeclaration(text.substr(at, end - at)) : std::nullopt) {
        fault->at = placeOf(text, at);
        return fault;
      }
      at = end + 2;
    } else if (startsWith(text, at, "<!--")) {
      const auto end = text.find("-->", at + 4);
      if (end == std::string_view::npos) return std::nullopt;
      at = end + 3;
    } else if (startsWith(text, at, "<!")) {
      return Fault{Code::Invalid, "xml-doctype", "a DOCTYPE is not allowed; remove it", placeOf(text, at)};
    } else if (text[at] == '<') {
      return std::nullopt;
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

/// expat's reason, which never quotes the text.
std::string notWellFormed(std::string_view reason) {
  constexpr std::string_view kSame = "not well-formed (";
  if (reason.starts_with(kSame)) reason = reason.substr(kSame.size(), reason.size() - kSame.size() - 1);
  if (reason == "no element found") reason = "it ends too early";
  return "the XML is not well-formed: " + std::string(reason);
}

/// A start tag with more attributes than kMostAttributes. expat keeps all attributes of a tag, at ten times the size of
/// the shortest one, before the first event about it; so they are counted before. What is not well-formed may be
/// miscounted, but from there on expat reads nothing.
std::optional<Fault> checkAttributes(std::string_view text) {
  const auto behind = [&](std::string_view end, std::size_t from) {
    const auto found = text.find(end, from);
    return found == std::string_view::npos ? text.size() : found + end.size();
  };
  for (std::size_t at = text.find('<'); at < text.size(); at = text.find('<', at)) {
    const std::size_t start = at;
    if (startsWith(text, at, "<!--")) {
      at = behind("-->", at + 4);
    } else if (startsWith(text, at, "<![CDATA[")) {
      at = behind("]]>", at);
    } else if (startsWith(text, at, "<?")) {
      at = behind("?>", at);
    } else {
      std::size_t count = 0;
      const auto next = [&] {
        while (at < text.size() && text[at] != '>' && text[at] != '"' && text[at] != '\'') ++at;
        return at < text.size() && text[at] != '>';
      };
      while (next()) {
        at = behind(text.substr(at, 1), at + 1);
        if (++count > kMostAttributes)
          return Fault{Code::TooLarge, "xml-attributes", "more than 256 attributes in one element",
                       placeOf(text, start)};
      }
    }
  }
  return std::nullopt;
}

/// Namespaces in scope: expat would resolve them too, but into one string that has to be taken apart again. Functions
/// that may fail say why, or nothing.
class Spaces {
 public:
  struct Name {
    std::string_view space;
    std::string_view local;
  };

  static bool isDeclaration(std::string_view name) { return name == "xmlns" || name.starts_with("xmlns:"); }

  /// `attributes`: name, value, name … nullptr, as expat gives them.
  std::string_view enter(std::uint32_t depth, const char** attributes) {
    for (const char** at = attributes; *at != nullptr; at += 2) {
      const std::string_view name = at[0];
      if (!isDeclaration(name)) continue;
      const std::string_view space = at[1];
      const std::string_view prefix = name.size() > 5 ? name.substr(6) : std::string_view{};
      const bool reserved = prefix == "xmlns" || space == kXmlns || (prefix == "xml") != (space == kXml);
      if (reserved || prefix.find(':') != std::string_view::npos) return "reserved prefix or namespace";
      if (name.size() > 5 && (prefix.empty() || space.empty())) return "must not undeclare prefix";
      if (bindings_.size() == kMostSpaces) return "too many namespaces";
      bindings_.push_back({std::string(prefix), std::string(space), depth});
    }
    return {};
  }

  void leave(std::uint32_t depth) {
    while (!bindings_.empty() && bindings_.back().depth == depth) bindings_.pop_back();
  }

  /// The views are valid until the next enter().
  std::string_view resolve(std::string_view name, bool element, Name& found) const {
    const auto colon = name.find(':');
    if (colon == std::string_view::npos) {
      found = {element ? spaceOf({}) : std::string_view{}, name};
      return {};
    }
    found = {spaceOf(name.substr(0, colon)), name.substr(colon + 1)};
    if (found.local.empty() || found.local.find(':') != std::string_view::npos) return "invalid name";
    return found.space.empty() ? "unbound prefix" : std::string_view{};
  }

 private:
  static constexpr std::string_view kXml = "http://www.w3.org/XML/1998/namespace";
  static constexpr std::string_view kXmlns = "http://www.w3.org/2000/xmlns/";
  struct Binding {
    std::string prefix;
    std::string space;
    std::uint32_t depth;
  };

  std::string_view spaceOf(std::string_view prefix) const {
    for (auto at = bindings_.rbegin(); at != bindings_.rend(); ++at) {
      if (at->prefix == prefix) return at->space;
    }
    return prefix == "xml" ? kXml : std::string_view{};
  }

  std::vector<Binding> bindings_;  // those of the innermost element last
};

/// expat's events to ours. The whole text is given to expat at once: in pieces, as Poco's parser gives it, expat 2.5
/// reads a long attribute anew for each piece, and a document of 20 MB takes minutes.
class Adapter {
 public:
  Adapter(const Limits& limits, Handler& handler)
      : limits_(limits), handler_(handler), parser_(XML_ParserCreate("UTF-8")) {
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(
        parser_.get(), [](void* self, const char* name, const char** attributes) { of(self).start(name, attributes); },
        [](void* self, const char*) { of(self).end(); });
    XML_SetCharacterDataHandler(parser_.get(), [](void* self, const char* text, int size) {
      of(self).text({text, static_cast<std::size_t>(size)});
    });
  }

  std::optional<Fault> parse(std::string_view text) && {
    const auto status = XML_Parse(parser_.get(), text.data(), static_cast<int>(text.size()), 1);
    if (status != XML_STATUS_OK && !fault_)
      stop(Code::Invalid, "xml-syntax", notWellFormed(XML_ErrorString(XML_GetErrorCode(parser_.get()))));
    return std::move(fault_);
  }

 private:
  struct Free {
    void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
  };

  static Adapter& of(void* self) { return *static_cast<Adapter*>(self); }

  void start(std::string_view name, const char** attributes) {
    if (fault_) return;
    if (++depth_ > limits_.maxDepth)
      return stop(Code::TooLarge, "xml-depth", "nested deeper than " + std::to_string(limits_.maxDepth) + " levels");
    if (++elements_ > limits_.maxElements) {
      return stop(Code::TooLarge, "xml-elements", "more than " + std::to_string(limits_.maxElements) + " elements");
    }
    std::string_view why = spaces_.enter(depth_, attributes);
    Spaces::Name element;
    if (why.empty()) why = spaces_.resolve(name, true, element);
    attributes_.clear();
    for (const char** at = attributes; why.empty() && *at != nullptr; at += 2) {
      if (Spaces::isDeclaration(at[0])) continue;
      Spaces::Name found;
      why = spaces_.resolve(at[0], false, found);
      const bool twice = std::any_of(attributes_.begin(), attributes_.end(), [&](const Attribute& other) {
        return other.name == found.local && other.space == found.space;
      });
      if (twice) why = "duplicate attribute";
      attributes_.push_back({found.space, found.local, at[1]});
    }
    if (!why.empty()) return stop(Code::Invalid, "xml-syntax", notWellFormed(why));
    goOn(handler_.startElement(element.space, element.local, attributes_, here()));
  }

  void end() {
    if (fault_) return;
    spaces_.leave(depth_--);
    goOn(handler_.endElement(here()));
  }

  void text(std::string_view characters) {
    if (!fault_) goOn(handler_.text(characters, here()));
  }

  Place here() const {
    return {static_cast<std::uint32_t>(XML_GetCurrentLineNumber(parser_.get())),
            static_cast<std::uint32_t>(XML_GetCurrentColumnNumber(parser_.get()) + 1)};
  }

  void stop(Code code, std::string_view rule, std::string text) {
    fault_ = Fault{code, rule, std::move(text), here()};
    XML_StopParser(parser_.get(), XML_FALSE);
  }
  void goOn(bool yes) {
    if (!yes) stop(Code::Invalid, "xml-stopped", "the reader stopped");
  }

  const Limits& limits_;
  Handler& handler_;
  std::unique_ptr<XML_ParserStruct, Free> parser_;
  std::optional<Fault> fault_;
  Spaces spaces_;
  std::vector<Attribute> attributes_;
  std::uint32_t depth_ = 0;
  std::uint32_t elements_ = 0;
};

}  // namespace

std::optional<Fault> parse(std::string_view text, const Limits& limits, Handler& handler) {
  const std::size_t most = std::min<std::size_t>(limits.maxBytes, INT_MAX);
  if (text.size() > most)
    return Fault{Code::TooLarge, "xml-size", "longer than " + std::to_string(most) + " bytes", {}};

  if (isWide(text))
    return Fault{Code::Invalid, "xml-encoding", "the text is UTF-16 or UTF-32; convert it to UTF-8", {}};
  if (std::size_t badAt = 0; !isUtf8(text, &badAt))
    return Fault{Code::Invalid, "xml-utf8", "the bytes are not UTF-8", placeOf(text, badAt)};
  if (auto fault = checkProlog(text)) return fault;
  if (auto fault = checkAttributes(text)) return fault;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // XML allows a byte order mark; it is no column

  return Adapter(limits, handler).parse(text);
}

}  // namespace lotsen::xml
