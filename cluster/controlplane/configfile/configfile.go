// Package configfile is the one JSON file that a program of a devnet is started with.
package configfile

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	genericapiserver "k8s.io/apiserver/pkg/server"
)

// Read reads the configuration of `what` and checks it; all that is wrong with it is in the error.
func Read[T any](file, what string, check func(T) error) (T, error) {
	var config T
	text, err := os.ReadFile(file)
	if err != nil {
		return config, fmt.Errorf("configuration of %s: %w", what, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&config); err != nil {
		return config, fmt.Errorf("configuration of %s, %s: %w", what, file, err)
	}
	if err := check(config); err != nil {
		return config, fmt.Errorf("configuration of %s, %s:\n%w", what, file, err)
	}
	return config, nil
}

// Command is `NAME --config FILE`: it runs what the file says until SIGTERM.
func Command[T any](
	name, short, says string, read func(string) (T, error), run func(context.Context, T) error,
) *cobra.Command {
	var file string
	command := &cobra.Command{
		Use:          name + " --config FILE",
		Short:        short,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error {
			config, err := read(file)
			if err != nil {
				return err
			}
			return run(genericapiserver.SetupSignalContext(), config)
		},
	}
	command.Flags().StringVar(&file, "config", "", says+", a JSON file")
	if err := command.MarkFlagRequired("config"); err != nil {
		panic(err) // the flag is the line above
	}
	return command
}
