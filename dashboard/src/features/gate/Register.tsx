import { Link, useQueryString } from "../../app/router";
import { Gate } from "./Gate";
import { RegisterForm } from "./RegisterForm";

export function Register() {
  const search = useQueryString();
  return (
    <Gate title="Register" lead="One account for all of your shops.">
      <RegisterForm />
      <p className="dim small" style={{ marginBottom: 0 }}>
        Registered already? <Link to={`/sign-in${search}`}>Sign in</Link>
      </p>
    </Gate>
  );
}
