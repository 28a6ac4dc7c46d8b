#include "gateway/letter/pdf.h"

#include <cairo-ft.h>
#include <cairo-pdf.h>
#include <freetype/ftmodapi.h>
#include <freetype/ftsystem.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>

namespace lotsen::letter {

namespace {

// FreeType's memory is the process's: FT_Init_FreeType would make a manager that FT_Done_Library leaves behind, and
// FT_Done_FreeType, which frees it, does not heed that faces still use the library.
void* allocate(FT_Memory, long size) {
  return std::malloc(static_cast<std::size_t>(size));
}
void deallocate(FT_Memory, void* block) {
  std::free(block);
}
void* reallocate(FT_Memory, long, long size, void* block) {
  return std::realloc(block, static_cast<std::size_t>(size));
}

/// Faces opened once and kept with the Fonts: cairo caches scaled fonts per face.
class Faces {
 public:
  Faces() {
    static FT_MemoryRec_ memory{nullptr, allocate, deallocate, reallocate};
    if (FT_New_Library(&memory, &library_) != 0) return;
    FT_Add_Default_Modules(library_);
    FT_Set_Default_Properties(library_);
  }
  Faces(const Faces&) = delete;
  Faces& operator=(const Faces&) = delete;
  ~Faces() {
    for (auto& [file, face] : faces_) cairo_font_face_destroy(face);
    // cairo may keep the faces for a while; it frees them, and the library with the last of them, through `release`.
    releaseLibrary(library_);
  }

  /// nullptr if the file cannot be opened any more.
  cairo_font_face_t* open(const FontFile& file) {
    const auto known = faces_.find({file.path, file.face});
    if (known != faces_.end()) return known->second;
    FT_Face face = nullptr;
    if (FT_New_Face(library_, file.path.c_str(), file.face, &face) != 0) return nullptr;
    FT_Reference_Library(library_);
    cairo_font_face_t* font = cairo_ft_font_face_create_for_ft_face(face, FT_LOAD_NO_HINTING);
    static const cairo_user_data_key_t kKey{};
    cairo_font_face_set_user_data(font, &kKey, face, release);
    faces_.emplace(std::pair(file.path, file.face), font);
    return font;
  }

 private:
  static void release(void* data) {
    FT_Face face = static_cast<FT_Face>(data);
    FT_Library library = face->glyph->library;
    FT_Done_Face(face);
    releaseLibrary(library);
  }
  static void releaseLibrary(FT_Library library) { FT_Done_Library(library); }

  FT_Library library_ = nullptr;
  std::map<std::pair<std::string, int>, cairo_font_face_t*> faces_;
};

struct Destroy {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_font_options_t* options) const { cairo_font_options_destroy(options); }
};

cairo_status_t append(void* out, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

const char* tagName(Role role) {
  switch (role) {
    case Role::Document: return "Document";
    case Role::Paragraph: return "P";
    case Role::Heading1: return "H1";
    case Role::Heading2: return "H2";
    case Role::Heading3: return "H3";
    case Role::List: return "L";
    case Role::ListItem: return "LI";
    case Role::Label: return "Lbl";
    case Role::ListBody: return "LBody";
    case Role::Link: return CAIRO_TAG_LINK;
  }
  return "P";
}

class Drawer {
 public:
  Drawer(cairo_t* context, const DisplayList& list, Faces& faces) : context_(context), list_(list), faces_(faces) {}

  bool draw() {
    for (const Page& page : list_.pages) {
      for (const GlyphRun& run : page.runs) {
        moveTo(run.element);
        if (!glyphs(run)) return false;
      }
      moveTo(kDecoration);
      for (const Rule& rule : page.rules) {
        cairo_set_source_rgb(context_, rule.gray, rule.gray, rule.gray);
        cairo_rectangle(context_, rule.box.x, rule.box.y, rule.box.width, rule.box.height);
        cairo_fill(context_);
      }
      cairo_show_page(context_);
    }
    return cairo_status(context_) == CAIRO_STATUS_SUCCESS;
  }

 private:
  /// Closes and opens tags until the innermost open one is `element`. Tags do not go over pages: cairo cannot.
  void moveTo(ElementIndex element) {
    std::vector<ElementIndex> path;
    for (ElementIndex at = element; at != kDecoration; at = list_.elements[at].parent) path.push_back(at);
    std::reverse(path.begin(), path.end());
    std::size_t shared = 0;
    while (shared < path.size() && shared < open_.size() && path[shared] == open_[shared]) ++shared;
    for (; open_.size() > shared; open_.pop_back()) cairo_tag_end(context_, tagName(list_.elements[open_.back()].role));
    for (; shared < path.size(); ++shared) {
      const StructureElement& opening = list_.elements[path[shared]];
      const std::string attributes = opening.role == Role::Link ? "uri='" + opening.link + "'" : "";
      cairo_tag_begin(context_, tagName(opening.role), attributes.c_str());
      open_.push_back(path[shared]);
    }
  }

  bool glyphs(const GlyphRun& run) {
    cairo_font_face_t* face = faces_.open(list_.fonts[run.font]);
    if (face == nullptr) return false;
    std::vector<cairo_glyph_t> glyphs;
    glyphs.reserve(run.glyphs.size());
    for (const Glyph& glyph : run.glyphs) glyphs.push_back({glyph.id, run.x + glyph.x, run.baseline + glyph.y});
    std::vector<cairo_text_cluster_t> clusters;
    clusters.reserve(run.clusters.size());
    for (const Cluster& cluster : run.clusters) clusters.push_back({cluster.bytes, cluster.glyphs});
    cairo_set_font_face(context_, face);
    cairo_set_font_size(context_, run.size);
    cairo_set_source_rgb(context_, 0, 0, 0);
    cairo_show_text_glyphs(context_, run.text.data(), static_cast<int>(run.text.size()), glyphs.data(),
                           static_cast<int>(glyphs.size()), clusters.data(), static_cast<int>(clusters.size()),
                           run.rightToLeft ? CAIRO_TEXT_CLUSTER_FLAG_BACKWARD : cairo_text_cluster_flags_t());
    return true;
  }

  cairo_t* context_;
  const DisplayList& list_;
  Faces& faces_;
  std::vector<ElementIndex> open_;
};

/// The number after the last `key` in the tail of a PDF.
std::optional<std::size_t> numberAfter(std::string_view pdf, std::string_view key) {
  const auto at = pdf.rfind(key);
  if (at == std::string_view::npos) return std::nullopt;
  const char* begin = pdf.data() + at + key.size();
  while (*begin == ' ' || *begin == '\n') ++begin;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(begin, pdf.data() + pdf.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

/// cairo 1.16 writes no language and does not ask viewers to show the title: an incremental update of the catalogue
/// does.
bool completeCatalogue(std::string& pdf, const std::string& language) {
  const auto root = numberAfter(pdf, "/Root");
  const auto info = numberAfter(pdf, "/Info");
  const auto size = numberAfter(pdf, "/Size");
  const auto previous = numberAfter(pdf, "startxref");
  if (!root || !info || !size || !previous) return false;
  const std::string head = "\n" + std::to_string(*root) + " 0 obj\n";
  const auto start = pdf.rfind(head);
  const auto end = start == std::string::npos ? start : pdf.find(">>\nendobj", start);
  if (end == std::string::npos) return false;
  const std::string catalogue = pdf.substr(start + 1, end - start - 1);
  if (catalogue.find("/Lang") != std::string::npos) return false;
  const std::size_t at = pdf.size();
  pdf += catalogue + "   /Lang (" + language + ")\n   /ViewerPreferences << /DisplayDocTitle true >>\n>>\nendobj\n";
  const std::size_t table = pdf.size();
  std::string offset = std::to_string(at);
  offset.insert(0, 10 - offset.size(), '0');
  pdf += "xref\n" + std::to_string(*root) + " 1\n" + offset + " 00000 n \ntrailer\n<< /Size " + std::to_string(*size) +
         " /Root " + std::to_string(*root) + " 0 R /Info " + std::to_string(*info) + " 0 R /Prev " +
         std::to_string(*previous) + " >>\nstartxref\n" + std::to_string(table) + "\n%%EOF\n";
  return true;
}

}  // namespace

Result<std::string> writePdf(const DisplayList& list, Instant created, Fonts& fonts) {
  if (!fonts.writerCache()) fonts.writerCache() = std::make_shared<Faces>();
  Faces& faces = *static_cast<Faces*>(fonts.writerCache().get());
  std::string pdf;
  const std::unique_ptr<cairo_surface_t, Destroy> surface(
      cairo_pdf_surface_create_for_stream(append, &pdf, list.width, list.height));
  const std::string when = formatInstant(created).substr(0, 19) + "Z";
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_TITLE, list.title.c_str());
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATOR, "Lotsen");
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATE_DATE, when.c_str());
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_MOD_DATE, when.c_str());
  bool drawn = false;
  {
    const std::unique_ptr<cairo_t, Destroy> context(cairo_create(surface.get()));
    const std::unique_ptr<cairo_font_options_t, Destroy> options(cairo_font_options_create());
    cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(context.get(), options.get());
    drawn = Drawer(context.get(), list, faces).draw();
  }
  cairo_surface_finish(surface.get());
  if (!drawn || cairo_surface_status(surface.get()) != CAIRO_STATUS_SUCCESS) {
    return fail(Code::Internal, std::string("the PDF could not be written: ") +
                                    cairo_status_to_string(cairo_surface_status(surface.get())));
  }
  if (!completeCatalogue(pdf, list.language))
    return fail(Code::Internal, "the PDF has no catalogue in the form that we know");
  return pdf;
}

}  // namespace lotsen::letter
