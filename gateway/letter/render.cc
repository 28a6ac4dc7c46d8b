#include "gateway/letter/render.h"

#include "gateway/letter/fill.h"
#include "gateway/letter/layout.h"
#include "gateway/letter/pdf.h"
#include "gateway/letter/protection.h"
#include "gateway/letter/text.h"
#include "gateway/letter/window.h"

namespace lotsen::letter {

namespace {

Status refuse(const Template& letter, std::string_view code, std::string_view rule, std::string text,
              fhir::Issues& issues) {
  fhir::Issue issue;
  issue.code = code;
  issue.rule = rule;
  issue.text = text;
  issue.source = letter.source().file;
  issues.add(std::move(issue));
  return fail(Code::Invalid, std::move(text));
}

/// What no value has to be looked at for.
Status checkBefore(const Template& letter, const fhir::Document& source, Format format, fhir::Issues& issues) {
  if (format == Format::Notification && letter.source().notify.empty()) {
    return refuse(letter, "not-supported", "letter-notification", "the template has no notification (key 'notify')",
                  issues);
  }
  if (format == Format::Pdf && letter.source().recipient == Recipient::Patient && hasProtectedPatient(source)) {
    return refuse(
        letter, "security", "letter-protected-identity",
        "the patient has protected identity: no letter is posted; send it through Skatteverket's förmedlingsuppdrag",
        issues);
  }
  return done();
}

Result<Rendered> renderPdf(const Document& document, const RenderOptions& options, fhir::Issues& issues) {
  LOTSEN_CHECK(options.profile != nullptr && options.fonts != nullptr);
  LOTSEN_TRY(const DisplayList list, layOut(document, *options.profile, *options.fonts, issues));
  if (!windowIsRight(list, *options.profile, issues)) {
    return fail(Code::Invalid, "the address or the window of the letter is wrong; its issues say how");
  }
  Rendered result;
  LOTSEN_TRY(result.bytes, writePdf(list, options.now, *options.fonts));
  result.mediaType = "application/pdf";
  result.title = document.title;
  result.pages = list.pages.size();
  return result;
}

Result<Rendered> renderAny(const Template& letter, const fhir::Document& source, Format format,
                           const RenderOptions& options, fhir::Issues& issues) {
  LOTSEN_TRY_DO(checkBefore(letter, source, format, issues));
  LOTSEN_TRY(const Document document, fill(letter, source, options.now, issues));
  switch (format) {
    case Format::Pdf: return renderPdf(document, options, issues);
    case Format::Html: return Rendered{safeHtml(document), "text/html;charset=utf-8", document.title, 0};
    case Format::Text: return Rendered{plainText(document), "text/plain;charset=utf-8", document.title, 0};
    case Format::Notification:
      return Rendered{document.notification + "\n", "text/plain;charset=utf-8", document.title, 0};
  }
  return fail(Code::Internal, "unknown format of a letter");
}

}  // namespace

std::optional<Format> formatNamed(std::string_view name) {
  if (name == "pdf") return Format::Pdf;
  if (name == "html") return Format::Html;
  if (name == "text") return Format::Text;
  if (name == "notification") return Format::Notification;
  return std::nullopt;
}

Result<Rendered> render(const Template& letter, const fhir::Document& source, Format format,
                        const RenderOptions& options, fhir::Issues& issues) {
  const std::size_t before = issues.list().size();
  auto result = renderAny(letter, source, format, options, issues);
  if (result.ok() || result.error().code != Code::Invalid || issues.list().size() == before) return result;
  const fhir::Issue& first = issues.list()[before];
  return fail(Code::Invalid, letter.id() + ": " + first.text + " (" + first.rule + ", " + first.source + ")");
}

}  // namespace lotsen::letter
