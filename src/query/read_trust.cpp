// /status, /tenants
#include "query/resource.h"
#include "store/inventory.h"

namespace district::query {

Result<RowPage> read_status(const Question& question) {
  DISTRICT_TRY(const auto inventory, store::take_inventory(question.archive, question.series));
  return RowPage{{{question.spell(question.now), DISTRICT_VERSION, inventory.work_waiting}}};
}

Result<RowPage> read_tenants(const Question& question) {
  DISTRICT_TRY(const auto codes, question.tenants());
  const auto after = question.after.is_string() ? question.after.get<std::string>() : "";
  RowPage page;
  for (const auto& code : codes) {
    if (code <= after) continue;
    if (page.rows.size() == question.limit) {
      page.next = page.rows.back().front();
      break;
    }
    const auto* tenant = question.trust.tenant(code);
    if (tenant == nullptr) continue;
    page.rows.push_back({tenant->code, tenant->name, tenant->zone, tenant->content_types,
                         tenant->sources, question.spell(tenant->valid_from)});
  }
  return page;
}

}  // namespace district::query
