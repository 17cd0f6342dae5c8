package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV1"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"
)

type bodies map[string]json.RawMessage

type keeper struct {
	ctx    context.Context
	client *datadog.APIClient
	bodies bodies
	out    *json.Encoder
}

type step struct {
	Name   string   `json:"name"`
	Value  any      `json:"value"`
	Status int      `json:"status"`
	Errors []string `json:"errors"`
}

// Keeps monitors, webhooks and downtimes in the order of the other languages, with the bodies that they all have, and
// asks for numbers and containers.
func keepMonitors(path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	var cases []struct {
		testCase
		Bodies bodies
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		log.Fatal(err)
	}
	for _, asked := range cases {
		configuration := datadog.NewConfiguration()
		configuration.Servers = datadog.ServerConfigurations{{URL: asked.URL}}
		client := datadog.NewAPIClient(configuration)
		keeper := keeper{authorized(asked.testCase), client, asked.Bodies, json.NewEncoder(os.Stdout)}
		id := keeper.monitors()
		keeper.webhooks()
		keeper.downtimes(id)
		keeper.leave(id)
		keeper.queries()
		keeper.containers()
	}
}

func (k keeper) monitors() int64 {
	api := datadogV1.NewMonitorsApi(k.client)
	monitor := read[datadogV1.Monitor](k, "monitor")
	valid, response, err := datadogV1.NewAuthenticationApi(k.client).Validate(k.ctx)
	k.say("keys", valid, response, err)
	nothing, response, err := api.ValidateMonitor(k.ctx, monitor)
	k.say("validate", nothing, response, err)
	made, response, err := api.CreateMonitor(k.ctx, monitor)
	k.say("create", made, response, err)
	id := made.GetId()
	shown := datadogV1.NewGetMonitorOptionalParameters().WithGroupStates("all").WithWithDowntimes(true)
	found, response, err := api.GetMonitor(k.ctx, id, *shown)
	k.say("read", found, response, err)
	nothing, response, err = api.ValidateExistingMonitor(k.ctx, id, monitor)
	k.say("validate existing", nothing, response, err)
	changed, response, err := api.UpdateMonitor(k.ctx, id, read[datadogV1.MonitorUpdateRequest](k, "monitor update"))
	k.say("update", changed, response, err)
	second, response, err := api.CreateMonitor(k.ctx, read[datadogV1.Monitor](k, "second monitor"))
	k.say("second", second, response, err)

	chosen := datadogV1.NewListMonitorsOptionalParameters().WithName("web").WithMonitorTags("team:web")
	list, response, err := api.ListMonitors(k.ctx, *chosen)
	k.say("list", list, response, err)
	pages, cancel := api.ListMonitorsWithPagination(k.ctx, *datadogV1.NewListMonitorsOptionalParameters().WithPageSize(1))
	defer cancel()
	k.say("pages", all(pages), nil, nil)
	search, response, err := api.SearchMonitors(k.ctx, *datadogV1.NewSearchMonitorsOptionalParameters().WithQuery("web is"))
	k.say("search", search, response, err)
	groups, response, err := api.SearchMonitorGroups(
		k.ctx, *datadogV1.NewSearchMonitorGroupsOptionalParameters().WithQuery("web is"))
	k.say("search groups", groups, response, err)
	deletable, response, err := api.CheckCanDeleteMonitor(k.ctx, []int64{id})
	k.say("can delete", deletable, response, err)
	for _, bad := range []string{"bad query", "other type"} {
		refused, response, err := api.CreateMonitor(k.ctx, read[datadogV1.Monitor](k, bad))
		k.say(bad, refused, response, err)
	}
	return id
}

func (k keeper) webhooks() {
	api := datadogV1.NewWebhooksIntegrationApi(k.client)
	made, response, err := api.CreateWebhooksIntegration(k.ctx, read[datadogV1.WebhooksIntegration](k, "webhook"))
	k.say("webhook", made, response, err)
	found, response, err := api.GetWebhooksIntegration(k.ctx, "oncall")
	k.say("webhook read", found, response, err)
	changed, response, err := api.UpdateWebhooksIntegration(
		k.ctx, "oncall", read[datadogV1.WebhooksIntegrationUpdateRequest](k, "webhook update"))
	k.say("webhook update", changed, response, err)
	response, err = api.DeleteWebhooksIntegration(k.ctx, "oncall")
	k.say("webhook delete", nil, response, err)
	found, response, err = api.GetWebhooksIntegration(k.ctx, "oncall")
	k.say("webhook gone", found, response, err)

	variable, response, err := api.CreateWebhooksIntegrationCustomVariable(
		k.ctx, read[datadogV1.WebhooksIntegrationCustomVariable](k, "variable"))
	k.say("variable", variable, response, err)
	variable, response, err = api.GetWebhooksIntegrationCustomVariable(k.ctx, "TOKEN")
	k.say("variable read", variable, response, err)
	variable, response, err = api.UpdateWebhooksIntegrationCustomVariable(
		k.ctx, "TOKEN", read[datadogV1.WebhooksIntegrationCustomVariableUpdateRequest](k, "variable update"))
	k.say("variable update", variable, response, err)
	response, err = api.DeleteWebhooksIntegrationCustomVariable(k.ctx, "TOKEN")
	k.say("variable delete", nil, response, err)
}

func (k keeper) downtimes(monitor int64) {
	api := datadogV2.NewDowntimesApi(k.client)
	once, response, err := api.CreateDowntime(k.ctx, read[datadogV2.DowntimeCreateRequest](k, "downtime once"))
	k.say("downtime once", once, response, err)
	weekly, response, err := api.CreateDowntime(k.ctx, read[datadogV2.DowntimeCreateRequest](k, "downtime weekly"))
	k.say("downtime weekly", weekly, response, err)
	found, response, err := api.GetDowntime(k.ctx, weekly.Data.GetId())
	k.say("downtime read", found, response, err)
	change := read[datadogV2.DowntimeUpdateRequest](k, "downtime update")
	change.Data.SetId(once.Data.GetId())
	changed, response, err := api.UpdateDowntime(k.ctx, once.Data.GetId(), change)
	k.say("downtime update", changed, response, err)
	pages, cancel := api.ListDowntimesWithPagination(
		k.ctx, *datadogV2.NewListDowntimesOptionalParameters().WithCurrentOnly(true).WithPageLimit(1))
	defer cancel()
	k.say("downtimes", all(pages), nil, nil)
	matches, response, err := api.ListMonitorDowntimes(k.ctx, monitor)
	k.say("downtimes of the monitor", matches, response, err)
	response, err = api.CancelDowntime(k.ctx, once.Data.GetId())
	k.say("downtime cancel", nil, response, err)
	canceled, response, err := api.GetDowntime(k.ctx, once.Data.GetId())
	k.say("downtime canceled", canceled, response, err)
}

func (k keeper) leave(monitor int64) {
	api := datadogV1.NewMonitorsApi(k.client)
	deleted, response, err := api.DeleteMonitor(k.ctx, monitor)
	k.say("delete", deleted, response, err)
	found, response, err := api.GetMonitor(k.ctx, monitor)
	k.say("gone", found, response, err)
}

func (k keeper) queries() {
	api := datadogV2.NewMetricsApi(k.client)
	for _, name := range []string{"timeseries", "two sources", "container timeseries"} {
		found, response, err := api.QueryTimeseriesData(k.ctx, read[datadogV2.TimeseriesFormulaQueryRequest](k, name))
		k.say(name, found, response, err)
	}
	for _, name := range []string{"scalar", "container scalar"} {
		found, response, err := api.QueryScalarData(k.ctx, read[datadogV2.ScalarFormulaQueryRequest](k, name))
		k.say(name, found, response, err)
	}
	list, response, err := datadogV1.NewDashboardListsApi(k.client).GetDashboardList(k.ctx, 7)
	k.say("elsewhere", list, response, err)
}

func (k keeper) containers() {
	api := datadogV2.NewContainersApi(k.client)
	chosen := datadogV2.NewListContainersOptionalParameters().WithPageSize(2).WithSort("-name")
	pages, cancel := api.ListContainersWithPagination(k.ctx, *chosen)
	defer cancel()
	k.say("containers", all(pages), nil, nil)
	chosen = datadogV2.NewListContainersOptionalParameters().WithFilterTags("env:prod,!team:db")
	found, response, err := api.ListContainers(k.ctx, *chosen)
	k.say("containers of production", found, response, err)
	chosen = datadogV2.NewListContainersOptionalParameters().WithGroupBy("env,team").WithPageSize(1)
	groups, cancelGroups := api.ListContainersWithPagination(k.ctx, *chosen)
	defer cancelGroups()
	k.say("container groups", all(groups), nil, nil)
	found, response, err = api.ListContainers(k.ctx, *datadogV2.NewListContainersOptionalParameters().WithSort("nothing"))
	k.say("bad containers", found, response, err)
}

// As the client's own model reads it.
func read[T any](k keeper, name string) T {
	var body T
	if err := json.Unmarshal(k.bodies[name], &body); err != nil {
		log.Fatal(err)
	}
	return understood(body)
}

func all[T any](pages <-chan datadog.PaginationResult[T]) []T {
	found := []T{}
	for item := range pages {
		if item.Error != nil {
			log.Fatal(item.Error)
		}
		found = append(found, item.Item)
	}
	return found
}

// The client hides what it has not understood in a field, which would come out as if all was well.
func understood[T any](value T) T {
	if isUnparsed, what := datadog.ContainsUnparsedObject(value); isUnparsed {
		log.Fatalf("not understood: %v", what)
	}
	return value
}

func (k keeper) say(name string, value any, response *http.Response, err error) {
	said := step{Name: name, Status: http.StatusOK}
	if err == nil {
		said.Value = understood(value)
	} else {
		var refused datadog.GenericOpenAPIError
		if !errors.As(err, &refused) {
			log.Fatal(err)
		}
		said.Status = response.StatusCode
		switch model := refused.Model().(type) {
		case datadogV1.APIErrorResponse:
			said.Errors = model.Errors
		case datadogV2.APIErrorResponse:
			said.Errors = model.Errors
		default:
			log.Fatalf("no errors in %s", refused.Body())
		}
	}
	if err := k.out.Encode(said); err != nil {
		log.Fatal(err)
	}
}
