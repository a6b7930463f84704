/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/v1/v1-carbon-json.h"

static const SchemaField intensity_fields[] = {
        { "zone", SCHEMA_STRING },
        { "intensity", SCHEMA_NUMBER },
        { "unit", SCHEMA_STRING, .description = "gCO2eq/kWh" },
        { "kind", SCHEMA_STRING, .description = "average or marginal" },
        { "index", SCHEMA_STRING, .description = "very low, low, moderate, high or very high" },
        { "quality", SCHEMA_STRING, .description = "excellent, good, moderate, poor or very poor" },
        { "estimated", SCHEMA_BOOLEAN },
        { "valid_from", SCHEMA_TIMESTAMP },
        { "valid_to", SCHEMA_TIMESTAMP },
        { "updated_at", SCHEMA_TIMESTAMP },
        { "stale", SCHEMA_BOOLEAN, .description = "The source fails, and these are the last data." },
        { "source", SCHEMA_STRING, SCHEMA_NULLABLE },
        {},
};
const Schema v1_carbon_intensity_schema = { .name = "CarbonIntensity", .fields = intensity_fields };

static const SchemaField window_fields[] = {
        { "rank", SCHEMA_INTEGER },
        { "start", SCHEMA_TIMESTAMP },
        { "end", SCHEMA_TIMESTAMP },
        { "average_intensity", SCHEMA_NUMBER },
        { "max_intensity", SCHEMA_NUMBER },
        { "savings_percent", SCHEMA_NUMBER, SCHEMA_NULLABLE, "Of the current intensity." },
        {},
};
static const Schema window_schema = { .name = "CarbonWindow", .fields = window_fields };

static const SchemaField horizon_fields[] = {
        { "from", SCHEMA_TIMESTAMP },
        { "to", SCHEMA_TIMESTAMP },
        {},
};
static const Schema horizon_schema = { .name = "CarbonHorizon", .fields = horizon_fields };

static const SchemaField current_fields[] = {
        { "intensity", SCHEMA_NUMBER },
        { "index", SCHEMA_STRING },
        {},
};
static const Schema current_schema = { .name = "CarbonCurrent", .fields = current_fields };

static const SchemaField recommendation_fields[] = {
        { "start", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "reason", SCHEMA_STRING },
        {},
};
static const Schema recommendation_schema = { .name = "CarbonRecommendation",
        .fields = recommendation_fields };

static const SchemaField schedule_fields[] = {
        { "zone", SCHEMA_STRING },
        { "unit", SCHEMA_STRING },
        { "duration_minutes", SCHEMA_INTEGER },
        { "horizon", SCHEMA_OBJECT, .schema = &horizon_schema },
        { "current", SCHEMA_OBJECT, SCHEMA_NULLABLE, .schema = &current_schema },
        { "stale", SCHEMA_BOOLEAN },
        { "source", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "updated_at", SCHEMA_TIMESTAMP },
        { "windows", SCHEMA_ARRAY, .schema = &window_schema },
        { "recommendation", SCHEMA_OBJECT, .schema = &recommendation_schema },
        {},
};
const Schema v1_carbon_schedule_schema = { .name = "CarbonSchedule", .fields = schedule_fields };

static const SchemaField forecast_fields[] = {
        { "time", SCHEMA_TIMESTAMP },
        { "intensity_gco2_kwh", SCHEMA_NUMBER },
        { "quality", SCHEMA_STRING },
        {},
};
static const Schema forecast_schema = { .name = "CarbonForecast", .fields = forecast_fields };

static const SchemaField status_fields[] = {
        { "zone", SCHEMA_STRING },
        { "current_intensity", SCHEMA_NUMBER },
        { "renewable_percent", SCHEMA_NUMBER, SCHEMA_NULLABLE, "null: it is not known" },
        { "optimal_for_backup", SCHEMA_BOOLEAN, .description = "The intensity is at most the threshold." },
        { "next_optimal_time", SCHEMA_TIMESTAMP, SCHEMA_NULLABLE },
        { "forecast_next_4h", SCHEMA_ARRAY, .schema = &forecast_schema },
        { "reasoning", SCHEMA_STRING },
        { "timestamp", SCHEMA_TIMESTAMP },
        { "quality", SCHEMA_STRING },
        {},
};
const Schema v1_carbon_status_schema = { .name = "CarbonStatus", .fields = status_fields };

static const SchemaField estimate_fields[] = {
        { "current_intensity_gco2_kwh", SCHEMA_NUMBER },
        { "current_emissions_kg_co2", SCHEMA_NUMBER },
        { "best_intensity_gco2_kwh", SCHEMA_NUMBER },
        { "best_emissions_kg_co2", SCHEMA_NUMBER },
        { "best_time", SCHEMA_TIMESTAMP },
        { "savings_kg_co2", SCHEMA_NUMBER },
        { "savings_percent", SCHEMA_NUMBER },
        { "recommendation", SCHEMA_STRING },
        { "delay_minutes", SCHEMA_INTEGER },
        { "forecast", SCHEMA_ARRAY, .schema = &forecast_schema },
        {},
};
const Schema v1_carbon_estimate_schema = { .name = "CarbonEstimate", .fields = estimate_fields };

static const SchemaField report_fields[] = {
        { "operation_id", SCHEMA_STRING },
        { "start_time", SCHEMA_TIMESTAMP },
        { "end_time", SCHEMA_TIMESTAMP },
        { "duration_hours", SCHEMA_NUMBER },
        { "data_size_gb", SCHEMA_NUMBER },
        { "energy_kwh", SCHEMA_NUMBER, .description = "Of a machine that takes 100 W, and 0.05 Wh per GB." },
        { "carbon_intensity_gco2_kwh", SCHEMA_NUMBER },
        { "estimated", SCHEMA_BOOLEAN,
                        .description = "There are no data for this time; the intensity is that of now." },
        { "carbon_emissions_kg_co2", SCHEMA_NUMBER },
        { "savings_vs_worst_kg_co2", SCHEMA_NUMBER },
        { "renewable_percent", SCHEMA_NUMBER, SCHEMA_NULLABLE, "null: it is not known" },
        { "equivalent", SCHEMA_STRING },
        {},
};
const Schema v1_carbon_report_schema = { .name = "CarbonReport", .fields = report_fields };

static const SchemaField zone_fields[] = {
        { "id", SCHEMA_STRING },
        { "name", SCHEMA_STRING },
        { "source", SCHEMA_STRING, SCHEMA_NULLABLE },
        { "current_intensity", SCHEMA_NUMBER, SCHEMA_NULLABLE },
        {},
};
static const Schema zone_schema = { .name = "CarbonZone", .fields = zone_fields };

static const SchemaField zones_fields[] = {
        { "zones", SCHEMA_ARRAY, .schema = &zone_schema },
        { "total", SCHEMA_INTEGER },
        {},
};
const Schema v1_carbon_zones_schema = { .name = "CarbonZones", .fields = zones_fields };
