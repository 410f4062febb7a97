#include "query/measurement_row.h"
#include "query/resource.h"

namespace district::query {
namespace {

const Parameter kTenant{"tenant", "Only this tenantCode; default: all that you see"};
const Parameter kSource{"source", "Only this messageSourceElement"};
const Parameter kMeter{"meter",
                       "Only the meter of this name; empty: those whose source is the meter"};
const Parameter kAt{"at", "Master data as of this day or instant; default: now"};
const Parameter kKpi{"kpi", "Only this KPI, as /kpis/catalogue names it"};
const Parameter kWindow{"window",
                        "Only windows of this kind",
                        {"hour", "day", "month", "year", "baseline", "reporting"}};
const Parameter kFromWindow{"from", "Only windows that start at this day or instant, or later"};
const Parameter kToWindow{"to", "Only windows that start before this day or instant"};

Parameter required(Parameter parameter) {
  parameter.required = true;
  return parameter;
}

std::vector<Column> kpi_columns() {
  return {
      {"tenant", Type::text, "tenantCode"},
      {"source", Type::text, "messageSourceElement"},
      {"meter", Type::text, "The meter's name; empty where the source is the meter"},
      {"kpi", Type::text, "As /kpis/catalogue names it"},
      {"window", Type::text, "hour, day, month, year, baseline or reporting"},
      {"window_start", Type::instant, "Windows are those of the site's calendar"},
      {"window_end", Type::instant, "Not included"},
      {"value", Type::number, "null: there is none", true},
      {"unit", Type::text, ""},
      {"completeness", Type::number, "0 to 1, by the KPI's rule"},
      {"status", Type::text, "complete, partial, estimated or insufficient"},
      {"revision", Type::integer, "From 1; grows with each change of the value"},
      {"computed_at", Type::instant, ""},
      {"attributes", Type::members, "What else belongs to the value, e.g. peak_at_utc, missing"},
  };
}

std::vector<Column> envelope_columns() {
  return {
      {"receipt_id", Type::text, "As in its receipt; in the order of time"},
      {"received_at", Type::instant, ""},
      {"tenant", Type::text, "tenantCode"},
      {"source", Type::text, "messageSourceElement of its first message"},
      {"message_count", Type::integer, ""},
      {"certificate_sha256", Type::text, "Of the signer's certificate, in hexadecimal"},
      {"signature_method", Type::text, "URI of XML Signature"},
      {"payload_digest", Type::text, "SHA-256 of the raw envelope, in base64, as in its receipt"},
      {"raw_size", Type::integer, "Octets"},
      {"content_type", Type::text, "As the client sent it"},
      {"content_encoding", Type::text, "As the client sent it; empty: none"},
      {"leaf_index", Type::integer, "Its place in the transparency log, from 0"},
      {"tree_size", Type::integer, "Of the log, as in its receipt"},
      {"quantified", Type::boolean, "Its measurements are stored and their KPIs computed"},
  };
}

std::vector<Resource> make_resources() {
  return {
      {"/status",
       "getStatus",
       "The server's time and version, and whether KPIs are up to date",
       "KPIs are up to date when no work is waiting.",
       {},
       {{"time", Type::instant, "Of the server"},
        {"version", Type::text, "Of District"},
        {"work_waiting", Type::integer, "Envelopes and meters that wait to be computed"}},
       read_status,
       nullptr,
       true},
      {"/tenants",
       "listTenants",
       "The tenants that you see",
       "",
       {kTenant},
       {{"tenant", Type::text, "tenantCode"},
        {"name", Type::text, "For people"},
        {"zone", Type::text, "IANA name of its sites' time zone"},
        {"content_types", Type::texts, "Types that it may send, as type/version"},
        {"sources", Type::texts, "Allowed messageSourceElements; none: any"},
        {"valid_from", Type::instant, "Since when it is set so"}},
       read_tenants},
      {"/sites",
       "listSites",
       "Sites and buildings with their master data",
       "",
       {kTenant, kSource, kAt},
       {{"tenant", Type::text, "tenantCode"},
        {"source", Type::text, "messageSourceElement"},
        {"site", Type::text, "Its name, which meters state as at_site"},
        {"meters", Type::texts, "Meters and buildings that state it; a source that is a meter"},
        {"attributes", Type::members, "What master data says of it, e.g. floor_area_m2"}},
       read_sites},
      {"/meters",
       "listMeters",
       "Meters with their quantities and master data",
       "",
       {kTenant, kSource, kMeter, kAt},
       {{"tenant", Type::text, "tenantCode"},
        {"source", Type::text, "messageSourceElement"},
        {"meter", Type::text, "The meter's name; empty where the source is the meter"},
        {"quantities", Type::texts, "Measured so far"},
        {"attributes", Type::members, "What master data says of the meter itself"}},
       read_meters},
      {"/series",
       "listSeries",
       "Series: the values of one quantity of one meter",
       "",
       {kTenant, kSource, kMeter, {"quantity", "Only this quantity"}},
       {{"tenant", Type::text, "tenantCode"},
        {"source", Type::text, "messageSourceElement"},
        {"meter", Type::text, "The meter's name; empty where the source is the meter"},
        {"quantity", Type::text, "As the content schema's annotation names it"},
        {"kind", Type::text, "interval, mean, instant or register"},
        {"unit", Type::text, ""},
        {"last_start", Type::instant, "No value starts later"}},
       read_series},
      {"/measurements",
       "listMeasurements",
       "Measured values, with the receipts of the envelopes that they came in",
       "By meter, series and time. Corrected and implausible values stay on record: `state` shows "
       "them.",
       {kTenant,
        kSource,
        kMeter,
        {"quantity", "Only this quantity"},
        {"from", "Only values that start at this day or instant, or later"},
        {"to", "Only values that start before this day or instant"},
        {"state",
         "Default: current, or with `rule` any; any is all but unusable",
         {"current", "superseded", "duplicate", "excluded", "unusable", "implausible", "any"}},
        {"rule", "Only values that this rule of plausibility flags, e.g. negative_energy"}},
       measurement_columns(),
       read_measurements},
      {"/kpis",
       "listKpis",
       "KPI values: a row for each meter, window and KPI",
       "By meter, kind of window and time. A window without data inside a series has a row whose "
       "value is null. In CSV each attribute is a further column, named by the page's header.",
       {kTenant, kSource, kMeter, kKpi, kWindow, kFromWindow, kToWindow},
       kpi_columns(),
       read_kpis},
      {"/kpis/catalogue",
       "listKpiCatalogue",
       "What each KPI is",
       "",
       {},
       {{"kpi", Type::text, ""},
        {"formula", Type::text, "In words"},
        {"unit", Type::text, "Empty: the meter's"},
        {"family", Type::text, "KPIs of the same inputs"},
        {"windows", Type::texts, "Kinds of window that it has"},
        {"completeness", Type::text, "What it means here"},
        {"source", Type::text, "Standard, or where the definition is from"}},
       read_kpi_catalogue},
      {"/kpis/inputs",
       "listKpiInputs",
       "What a KPI value was computed from",
       "Values of every state in its window, so that it shows what did not count, each with the "
       "receipt of its envelope.",
       {required(kTenant),
        required(kSource),
        kMeter,
        required(kKpi),
        required(kWindow),
        {"start", "The start of its window", {}, true}},
       measurement_columns(),
       read_kpi_inputs},
      {"/envelopes",
       "listEnvelopes",
       "Accepted envelopes, in the order of the transparency log",
       "",
       {kTenant,
        {"from", "Only those received at this day or instant, or later"},
        {"to", "Only those received before this day or instant"}},
       envelope_columns(),
       read_envelopes},
      {"/envelopes/{receipt_id}",
       "getEnvelope",
       "One envelope",
       "",
       {{"receipt_id", "As in its receipt", {}, true}},
       envelope_columns(),
       read_envelope,
       nullptr,
       true},
      {"/envelopes/{receipt_id}/raw",
       "getRawEnvelope",
       "The octets of an envelope, as they were received",
       "For auditors' keys, and for tenants by their certificate. Their digest has been compared "
       "with the one in the receipt, and is given as Repr-Digest (RFC 9530).",
       {{"receipt_id", "As in its receipt", {}, true}},
       {},
       nullptr,
       read_raw},
      {"/quality",
       "listQuality",
       "KPIs of data quality: availability, timeliness, latency, corrections",
       "The rows of /kpis that tell of the data rather than of the energy.",
       {kTenant, kSource, kMeter, kKpi, kWindow, kFromWindow, kToWindow},
       kpi_columns(),
       read_quality},
      {"/quality/failures",
       "listFailures",
       "Envelopes that are archived but could not be quantified",
       "",
       {kTenant},
       {{"receipt_id", Type::text, "As in its receipt"},
        {"tenant", Type::text, "tenantCode"},
        {"code", Type::integer, "As docs/reference/errors.md lists them"},
        {"reason", Type::text, ""},
        {"failed_at", Type::instant, ""}},
       read_failures},
  };
}

}  // namespace

const std::vector<Resource>& resources() {
  static const auto all = make_resources();
  return all;
}

const std::vector<Parameter>& common_parameters() {
  static const std::vector<Parameter> all{
      {"format",
       "Default: as Accept asks, else json; csv-exact: CSV with every text exactly as it was sent",
       {"json", "csv", "csv-exact"}},
      {"zone",
       "IANA name of the time zone in which instants are spelled, and days begin; default: UTC"},
      {"limit", "Rows of a page at most, 1 to 10000; default: 1000"},
      {"cursor", "Where a page begins: as `next` of the page before gives it"},
  };
  return all;
}

bool takes(const Resource& resource, const Parameter& common) {
  if (resource.read_octets != nullptr) return false;
  return !resource.single || (common.name != "limit" && common.name != "cursor");
}

}  // namespace district::query
