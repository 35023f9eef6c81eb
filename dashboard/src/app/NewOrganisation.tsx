import { Button, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useNavigate } from "./router";
import { useQueryClient } from "@tanstack/react-query";
import { asApiError } from "../api/errors";
import { useCreateOrganisation } from "../api/mutations";
import { chooseOrganisation } from "../api/organisation";
import { meOptions } from "../api/queries";
import { Dialog } from "../ui/dialog";
import { Problem } from "../ui/notice";
import { tell } from "../ui/toasts";

export function NewOrganisation({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [name, setName] = useState("");
  const create = useCreateOrganisation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      { name: name.trim() },
      {
        onSuccess: async ({ organisation }) => {
          await client.fetchQuery({ ...meOptions, staleTime: 0 });
          chooseOrganisation(organisation.id);
          tell("good", `${organisation.name} is yours`);
          setName("");
          onClose();
          navigate("/organisation");
        },
      },
    );
  };
  const refused = create.error ? asApiError(create.error).field("name") : null;
  return (
    <Dialog opened={opened} onClose={onClose} title="New organisation">
      <form onSubmit={submit} style={{ display: "flex", flexDirection: "column", gap: "1rem" }}>
        <TextInput label="Name" description="Stores of an organisation belong to all of its members." value={name} onChange={(event) => setName(event.currentTarget.value)} required maxLength={64} error={refused} data-autofocus />
        {create.error && !refused ? <Problem error={create.error} /> : null}
        <Button type="submit" loading={create.isPending} style={{ alignSelf: "flex-end" }}>
          Create organisation
        </Button>
      </form>
    </Dialog>
  );
}
