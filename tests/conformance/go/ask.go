// Asks what the list of cases says, through Datadog's Go client: `ask cases.json`, a line for each; or keeps monitors:
// `ask monitors cases.json`.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"
)

type testCase struct {
	Name       string
	URL        string
	Parameters struct {
		Search     *string
		Tags       *string
		From       *int64
		To         *int64
		PageLimit  *int32  `json:"page_limit"`
		PageCursor *string `json:"page_cursor"`
	}
	APIKey         string `json:"api_key"`
	ApplicationKey string `json:"application_key"`
	Bearer         string
	AllPages       bool `json:"all_pages"`
	Retry          bool
}

type result struct {
	Name       string                     `json:"name"`
	AskedAt    float64                    `json:"asked_at"`
	AnsweredAt float64                    `json:"answered_at"`
	Status     int                        `json:"status"`
	Data       []datadogV2.ProcessSummary `json:"data"`
	After      *string                    `json:"after,omitempty"`
	Size       *int32                     `json:"size,omitempty"`
	Errors     []string                   `json:"errors,omitempty"`
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "monitors" {
		keepMonitors(os.Args[2])
		return
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var cases []testCase
	if err := json.Unmarshal(text, &cases); err != nil {
		log.Fatal(err)
	}
	out := json.NewEncoder(os.Stdout)
	for _, asked := range cases {
		begin := now()
		answer := ask(asked)
		answer.Name, answer.AskedAt, answer.AnsweredAt = asked.Name, begin, now()
		if err := out.Encode(answer); err != nil {
			log.Fatal(err)
		}
	}
}

func ask(asked testCase) result {
	configuration := datadog.NewConfiguration()
	configuration.Servers = datadog.ServerConfigurations{{URL: asked.URL}}
	configuration.RetryConfiguration.EnableRetry = asked.Retry
	// By default the client does not begin a wait of a minute or more, and the full minute is what a limit may take.
	configuration.RetryConfiguration.HTTPRetryTimeout = 2 * time.Minute
	api := datadogV2.NewProcessesApi(datadog.NewAPIClient(configuration))
	parameters := datadogV2.ListProcessesOptionalParameters{
		Search:     asked.Parameters.Search,
		Tags:       asked.Parameters.Tags,
		From:       asked.Parameters.From,
		To:         asked.Parameters.To,
		PageLimit:  asked.Parameters.PageLimit,
		PageCursor: asked.Parameters.PageCursor,
	}
	if asked.AllPages {
		return allPages(api, authorized(asked), parameters)
	}
	answer, response, err := api.ListProcesses(authorized(asked), parameters)
	if err != nil {
		return refusal(response, err)
	}
	page := answer.Meta.Page
	return result{Status: response.StatusCode, Data: checked(answer.Data), After: page.After, Size: page.Size}
}

func allPages(
	api *datadogV2.ProcessesApi, ctx context.Context, parameters datadogV2.ListProcessesOptionalParameters,
) result {
	found, cancel := api.ListProcessesWithPagination(ctx, parameters)
	defer cancel()
	processes := []datadogV2.ProcessSummary{}
	for item := range found {
		if item.Error != nil {
			return refusal(nil, item.Error)
		}
		processes = append(processes, item.Item)
	}
	return result{Status: http.StatusOK, Data: checked(processes)}
}

func authorized(asked testCase) context.Context {
	if asked.Bearer != "" {
		return context.WithValue(context.Background(), datadog.ContextAccessToken, asked.Bearer)
	}
	return context.WithValue(context.Background(), datadog.ContextAPIKeys, map[string]datadog.APIKey{
		"apiKeyAuth": {Key: asked.APIKey},
		"appKeyAuth": {Key: asked.ApplicationKey},
	})
}

// The client hides what it has not understood in a field, which would come out as if all was well.
func checked(processes []datadogV2.ProcessSummary) []datadogV2.ProcessSummary {
	for _, process := range processes {
		if process.UnparsedObject != nil {
			log.Fatalf("not understood: %v", process.UnparsedObject)
		}
	}
	return processes
}

func refusal(response *http.Response, err error) result {
	var refused datadog.GenericOpenAPIError
	if !errors.As(err, &refused) {
		log.Fatal(err)
	}
	model, ok := refused.Model().(datadogV2.APIErrorResponse)
	if !ok {
		log.Fatalf("no errors in %s", refused.Body())
	}
	status := statuses[refused.Error()]
	if response != nil {
		status = response.StatusCode
	}
	return result{Status: status, Errors: model.Errors}
}

// While it turns the pages, the client tells a status in words alone.
var statuses = map[string]int{
	"400 Bad Request":       http.StatusBadRequest,
	"403 Forbidden":         http.StatusForbidden,
	"429 Too Many Requests": http.StatusTooManyRequests,
}

func now() float64 {
	return float64(time.Now().UnixMicro()) / 1e6
}
