#include "gateway/xml/reader.h"

#include "gateway/base/text.h"

#include <Poco/SAX/Attributes.h>
#include <Poco/SAX/DefaultHandler.h>
#include <Poco/SAX/Locator.h>
#include <Poco/SAX/SAXException.h>
#include <Poco/SAX/SAXParser.h>

#include <algorithm>
#include <vector>

namespace lotsen::xml {

namespace {

Place placeOf(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const auto start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<std::uint32_t>(lines + 1), static_cast<std::uint32_t>(offset - start + 1)};
}

bool startsWith(std::string_view text, std::size_t at, std::string_view what) {
  return text.substr(at, what.size()) == what;
}

/// The encoding that the XML declaration names; empty if it names none.
std::string_view declaredEncoding(std::string_view declaration) {
  const auto name = declaration.find("encoding");
  const auto open = name == std::string_view::npos ? name : declaration.find_first_of("\"'", name);
  if (open == std::string_view::npos) return {};
  const auto close = declaration.find(declaration[open], open + 1);
  return close == std::string_view::npos ? std::string_view{} : declaration.substr(open + 1, close - open - 1);
}

/// What may stand before the root element: a declaration, comments, instructions; a DOCTYPE can stand nowhere else.
std::optional<Fault> checkProlog(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (startsWith(text, at, "<?")) {
      const auto end = text.find("?>", at);
      if (end == std::string_view::npos) return std::nullopt;  // expat says so
      const std::string_view encoding =
          startsWith(text, at, "<?xml ") ? declaredEncoding(text.substr(at, end - at)) : std::string_view{};
      if (!encoding.empty() && !equalsIgnoreCase(encoding, "utf-8")) {
        return Fault{Code::Invalid, "xml-encoding", "another encoding than UTF-8 is declared", placeOf(text, at)};
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

/// Poco's events to ours. Nothing is thrown through expat: after a stop the rest of the events is passed over.
class Adapter final : public Poco::XML::DefaultHandler {
 public:
  Adapter(const Limits& limits, Handler& handler) : limits_(limits), handler_(handler) {}

  void setDocumentLocator(const Poco::XML::Locator* locator) override { locator_ = locator; }

  void startElement(const std::string& uri, const std::string& localName, const std::string& /*qname*/,
                    const Poco::XML::Attributes& attributes) override {
    if (fault) return;
    if (++depth_ > limits_.maxDepth)
      return stop(Code::TooLarge, "xml-depth", "nested deeper than " + std::to_string(limits_.maxDepth) + " levels");
    if (++elements_ > limits_.maxElements) {
      return stop(Code::TooLarge, "xml-elements", "more than " + std::to_string(limits_.maxElements) + " elements");
    }
    attributes_.clear();
    for (int i = 0; i < attributes.getLength(); ++i) {
      attributes_.push_back({attributes.getURI(i), attributes.getLocalName(i), attributes.getValue(i)});
    }
    goOn(handler_.startElement(uri, localName, attributes_, here()));
  }

  void endElement(const std::string&, const std::string&, const std::string&) override {
    if (fault) return;
    --depth_;
    goOn(handler_.endElement(here()));
  }

  void characters(const char characters[], int start, int length) override {
    if (fault) return;
    goOn(handler_.text({characters + start, static_cast<std::size_t>(length)}, here()));
  }

  Place here() const {
    if (locator_ == nullptr) return {};
    return {static_cast<std::uint32_t>(std::max(1, locator_->getLineNumber())),
            static_cast<std::uint32_t>(locator_->getColumnNumber() + 1)};
  }

  std::optional<Fault> fault;

 private:
  void stop(Code code, std::string_view rule, std::string text) { fault = Fault{code, rule, std::move(text), here()}; }
  void goOn(bool yes) {
    if (!yes) stop(Code::Invalid, "xml-stopped", "the reader stopped");
  }

  const Limits& limits_;
  Handler& handler_;
  const Poco::XML::Locator* locator_ = nullptr;
  std::vector<Attribute> attributes_;
  std::uint32_t depth_ = 0;
  std::uint32_t elements_ = 0;
};

}  // namespace

std::optional<Fault> parse(std::string_view text, const Limits& limits, Handler& handler) {
  if (text.size() > limits.maxBytes) {
    return Fault{Code::TooLarge, "xml-size", "longer than " + std::to_string(limits.maxBytes) + " bytes", {}};
  }
  if (std::size_t badAt = 0; !isUtf8(text, &badAt))
    return Fault{Code::Invalid, "xml-utf8", "the bytes are not UTF-8", placeOf(text, badAt)};
  if (auto fault = checkProlog(text)) return fault;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // XML allows a byte order mark; it is no column

  Adapter adapter(limits, handler);
  try {
    Poco::XML::SAXParser parser("UTF-8");
    parser.setFeature(Poco::XML::XMLReader::FEATURE_NAMESPACES, true);
    parser.setFeature(Poco::XML::XMLReader::FEATURE_NAMESPACE_PREFIXES, false);
    parser.setContentHandler(&adapter);
    parser.setErrorHandler(&adapter);
    parser.parseMemoryNP(text.data(), text.size());
  } catch (const Poco::XML::SAXParseException& error) {
    const Place at{static_cast<std::uint32_t>(std::max(1, error.getLineNumber())),
                   static_cast<std::uint32_t>(error.getColumnNumber() + 1)};
    if (!adapter.fault) adapter.fault = Fault{Code::Invalid, "xml-syntax", "the XML is not well-formed", at};
  } catch (const Poco::Exception&) {
    if (!adapter.fault)
      adapter.fault = Fault{Code::Invalid, "xml-syntax", "the XML is not well-formed", adapter.here()};
  }
  return std::move(adapter.fault);
}

}  // namespace lotsen::xml
